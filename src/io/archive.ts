/** Zip archives that come as weights: PyTorch's own, and those that hold a file of weights or something else. */
import type { NamedBlob } from './blob';
import { explainAsync, FormatError, quote, Refusal } from './format-error';
import { CONVERT, SAVE } from './kind';
import { memoryLimit, openPyTorchZip } from './pytorch/checkpoint';
import type { OpenedWeights } from './state-copy';
import { openZip, type Zip } from './zip';

/** How to open what a user's archive holds; absent inside an archive: an archive of archives has no end. */
export type OpenFiles = (files: NamedBlob[]) => Promise<OpenedWeights>;

interface ArchiveKind {
  /** as it stands after "is" */
  is: string;
  test(names: string[]): boolean;
  next: string;
}

const has = (pattern: RegExp) => (names: string[]) => names.some((name) => pattern.test(name));
const all = (pattern: RegExp) => (names: string[]) =>
  names.length > 0 && names.every((name) => pattern.test(name));

const KINDS: ArchiveKind[] = [
  {
    is: 'a TorchScript program, which holds code and is not run',
    test: has(/(^|\/)(constants\.pkl|code\/.*\.py)$/),
    next: 'save its weights in PyTorch: torch.save(torch.jit.load(path).state_dict(), "weights.pth")',
  },
  {
    is: 'a program of torch.export',
    test: has(/(^|\/)(serialized_exported_program\.json|archive_format)$/),
    next: 'save its weights in PyTorch: torch.save(torch.export.load(path).state_dict, "weights.pth")',
  },
  { is: 'a Keras model', test: has(/(^|\/)model\.weights\.h5$/), next: CONVERT },
  {
    is: 'an archive of NumPy arrays (.npz)',
    test: all(/\.npy$/),
    next: 'save them in Python as tensors: torch.save({k: torch.from_numpy(v) for k, v in numpy.load(path).items()}, "weights.pth")',
  },
  { is: 'an archive of a TensorFlow SavedModel', test: has(/(^|\/)saved_model\.pb$/), next: CONVERT },
  {
    is: 'an archive of pictures',
    test: has(/\.(jpe?g|png|webp|gif|bmp)$/i),
    next: 'give it as data; weights are a .safetensors or .pth file',
  },
];

/** Entries that may hold weights. */
const WEIGHTS = /\.(safetensors|pth|pt|ckpt|th|bin|pkl|index\.json)$/i;
const HIDDEN = /(^|\/)(\.|__MACOSX\/)/;
const PICKLE = /(^|\/)data\.pkl$/;
const REPORT = /(^|\/)report\.json$/;
const MERGED = /(^|\/)merged\.(safetensors|pth|onnx)$/;

/** Opens what a zip archive holds. Throws a UserError or a Refusal. */
export function openArchive({ path, blob }: NamedBlob, openFiles?: OpenFiles): Promise<OpenedWeights> {
  const advice = 'download it or save it again';
  return explainAsync(`${path} is not a zip archive that can be read`, advice, async () => {
    const zip = await openZip(blob, memoryLimit(blob.size));
    const names = zip.names.filter((name) => !HIDDEN.test(name) && !name.endsWith('/'));
    const kind = KINDS.find(({ test }) => test(names));
    if (kind) throw new Refusal(`is ${kind.is}; ${kind.next}`);
    if (names.some((name) => PICKLE.test(name))) return openCheckpoint(path, blob.size, zip);
    // of a run's bundle, its merged network
    const merged = names.some((name) => REPORT.test(name)) ? names.filter((name) => MERGED.test(name)) : [];
    const inside = merged.length > 0 ? merged.slice(0, 1) : names.filter((name) => WEIGHTS.test(name));
    if (openFiles && inside.length > 0) {
      const files = inside.map(async (name) => ({ path: `${path}/${name}`, blob: await zip.open(name) }));
      return openFiles(await Promise.all(files));
    }
    const some = names.slice(0, 5).map(quote).join(', ');
    throw new Refusal(
      `is a zip archive without a file of weights (it holds ${some || 'nothing'}${names.length > 5 ? ', ...' : ''}); ${SAVE}`,
    );
  });
}

/** Opens a checkpoint of torch.save out of an archive, or out of a folder that was unpacked. */
export async function openCheckpoint(path: string, size: number, zip: Zip): Promise<OpenedWeights> {
  const pickles = zip.names.filter((name) => PICKLE.test(name));
  if (pickles.length > 1) throw new FormatError(`it holds ${pickles.length} checkpoints, one is expected`);
  const folder = pickles[0].slice(0, -'data.pkl'.length);
  return { file: path, format: 'pytorch-zip', ...(await openPyTorchZip(size, path, zip, folder)) };
}

/** The files of an unpacked archive, as the archive. */
export function folderAsZip(files: readonly NamedBlob[]): Zip {
  const blobs = new Map(files.map(({ path, blob }) => [path, blob]));
  const open = async (name: string) => blobs.get(name) ?? new Blob();
  return {
    names: [...blobs.keys()],
    size: (name) => blobs.get(name)?.size ?? 0,
    open,
    read: async (name) => new Uint8Array(await (await open(name)).arrayBuffer()),
  };
}
