import { UserError } from '../../errors';
import { FormatError } from '../../io/format-error';
import type { FileTree, SourceFile } from '../files/tree';
import { isCifarName, isIdxName, isImageName, type Part } from '../layout/names';
import { checkCifarSize, readCifar } from './cifar';
import { gunzip, idxKind, readIdx } from './idx';
import type { RawSet } from './raster';

/** A raw set that is not read yet, and its part where the source has several. */
export interface RawPart {
  part?: Part;
  read(): Promise<RawSet>;
}

/**
 * The parts of a source that is binary batches of CIFAR-10 or CIFAR-100, or IDX files (MNIST's format, plain or .gz); undefined where it
 * is neither. Official downloads hold training and test files side by side. Reading throws a UserError.
 */
export function rawParts(tree: FileTree): RawPart[] | undefined {
  const paths = tree.files.map(({ path }) => path);
  if (paths.some(isImageName)) return undefined;
  const idx = tree.files.filter(({ path }) => isIdxName(path));
  const batches = tree.files.filter(({ path }) => isCifarName(path));
  if (idx.length === 0 && batches.length === 0) {
    if (!paths.some((path) => /(^|\/)(data_batch_1|cifar-100-python\/train)$/.test(path))) return undefined;
    const binary = `cifar-${paths.some((path) => /cifar-100-python\//.test(path)) ? 100 : 10}-binary.tar.gz`;
    throw new UserError(
      `${tree.name} is CIFAR's version for Python, which is not read; download the binary version (${binary}).`,
    );
  }
  const files = idx.length > 0 ? idx : batches;
  const isTest = ({ path }: SourceFile) => /(t10k|test)[^/]*$/i.test(path);
  const [test, train] = [files.filter(isTest), files.filter((file) => !isTest(file))];
  const read = (chosen: SourceFile[]) => () =>
    idx.length > 0 ? loadIdx(tree.name, chosen) : loadCifar(chosen);
  if (test.length === 0 || train.length === 0) return [{ read: read(files) }];
  return [
    { part: 'train', read: read(train) },
    { part: 'test', read: read(test) },
  ];
}

/** The bytes of a file that the set cannot do without. */
async function readWhole(file: SourceFile): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await file.read();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new UserError(`${file.path} cannot be read out of its archive (${error.message}); make it again.`);
  }
}

async function loadCifar(files: SourceFile[]): Promise<RawSet> {
  const batches = [];
  for (const file of files) {
    checkCifarSize(file.path, file.size);
    batches.push({ path: file.path, bytes: await readWhole(file) });
  }
  return readCifar(batches);
}

const sameBytes = (a: Uint8Array, b: Uint8Array) =>
  a.length === b.length && a.every((byte, i) => byte === b[i]);

async function loadIdx(name: string, files: SourceFile[]): Promise<RawSet> {
  const pair: Partial<Record<'images' | 'labels', { path: string; bytes: Uint8Array }>> = {};
  for (const file of files) {
    if (file.size > 2 ** 30)
      throw new UserError(`${file.path} is above the limit of 1 GiB; choose another file.`);
    const bytes = gunzip(file.path, await readWhole(file));
    const kind = idxKind(bytes);
    if (!kind) throw new UserError(`${file.path} is not an IDX file of bytes; download it again.`);
    // what torchvision unpacks it leaves beside its .gz
    if (pair[kind] && sameBytes(pair[kind].bytes, bytes)) continue;
    if (pair[kind]) {
      throw new UserError(
        `${file.path} is a second IDX file of ${kind}; choose one pair of images and labels.`,
      );
    }
    pair[kind] = { path: file.path, bytes };
  }
  if (!pair.images || !pair.labels) {
    const missing = pair.images ? 'labels (idx1)' : 'images (idx3)';
    throw new UserError(`${name} lacks the IDX file of ${missing}; choose both files of the pair.`);
  }
  return readIdx(pair.images, pair.labels);
}
