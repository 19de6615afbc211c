/** Which files of a repository of the hub are meant. */
import { UserError } from '../errors';
import { nameOf } from '../io/blob';
import { siblings } from '../io/shards';
import { addressText, fileName, type HubAddress } from './address';
import type { Found, RemoteFile } from './found';
import { busyFor, piecesOf, refuseFailure, request, type Transport } from './transport';

/** A row of the hub's list (`siblings` of /api/models/NAME/revision/REVISION?blobs=true). */
interface Listed {
  path: string;
  size?: number;
  /** of a file that the hub keeps outside of git */
  sha256?: string;
}

interface Repository {
  commit: string;
  files: Listed[];
}

/** Bytes of a list; one of 100,000 files has some 20 MB. */
const MAX_LIST = 64e6;

/** Asks the hub what an address stands for now. Throws a UserError where there is nothing, or more than one thing. */
export async function findOnHub(address: HubAddress, transport: Transport): Promise<Found> {
  const { type, repository, file } = address;
  const { commit, files } = await list(address, transport);
  const { chosen, note } = choose(address, files);
  const base = `/${type === 'datasets' ? 'datasets/' : ''}${repository}/resolve/${commit}/`;
  const folder = type === 'datasets' ? '' : `${nameOf(repository)}/`;
  const found = chosen.map(
    ({ path, size, sha256 }): RemoteFile => ({
      name: folder + fileName(path),
      url: new URL(base + path.split('/').map(encodeURIComponent).join('/'), transport.hub).href,
      size,
      sha256,
    }),
  );
  return { address: addressText(address), commit, files: found, notes: file || !note ? [] : [note] };
}

async function list(address: HubAddress, transport: Transport): Promise<Repository> {
  const { type, repository, revision } = address;
  const path = `/api/${type}/${repository}/revision/${encodeURIComponent(revision)}?blobs=true`;
  const { response } = await request(new URL(path, transport.hub), transport);
  const name = addressText(address);
  const busy = busyFor(response);
  if (busy && busy.wait !== undefined)
    throw new UserError(`${name}: the hub is busy; try again in ${Math.ceil(busy.wait / 1000)} s.`);
  refuseFailure(response, name);
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for await (const piece of piecesOf(response, transport)) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes > MAX_LIST) throw new UserError(`${name} has too long a list of files: name one of them.`);
  }
  return parseList(await new Blob(pieces).text(), name);
}

function parseList(text: string, name: string): Repository {
  const fault = new UserError(`${name}: the hub answers what is no list of files; try again later.`);
  let answer: { sha?: unknown; siblings?: unknown };
  try {
    answer = JSON.parse(text);
  } catch {
    throw fault;
  }
  const { sha, siblings: rows } = answer ?? {};
  if (typeof sha !== 'string' || !/^[0-9a-f]{40,64}$/.test(sha) || !Array.isArray(rows)) throw fault;
  const files = rows.flatMap((row) => {
    const { rfilename: path, size, lfs } = (row ?? {}) as Record<string, unknown>;
    const isPath = typeof path === 'string' && !path.split('/').some((part) => /^(\.{0,2})$/.test(part));
    const digest = (lfs as { sha256?: unknown } | undefined)?.sha256;
    return isPath
      ? [{ path, size: Number.isSafeInteger(size) ? (size as number) : undefined, sha256: digestOf(digest) }]
      : [];
  });
  return { commit: sha, files };
}

/** A SHA-256 where a text is one. */
export const digestOf = (text: unknown): string | undefined =>
  typeof text === 'string' && /^[0-9a-f]{64}$/.test(text) ? text : undefined;

/** The files that publishers' tools write, the first that is there is taken. */
const WEIGHTS = [
  'model.safetensors',
  'model.safetensors.index.json',
  'pytorch_model.bin',
  'pytorch_model.bin.index.json',
  'model.onnx',
  'onnx/model.onnx',
];

const ENDINGS = {
  models: /\.(safetensors|pth|pt|th|bin|ckpt|onnx)$/i,
  datasets: /\.(zip|tar|tar\.gz|tgz)$/i,
};

const WHAT = {
  models: 'weights that Refocus reads (.safetensors, .pth, .bin, .onnx)',
  datasets: 'archive of images (.zip, .tar, .tar.gz)',
};

function choose(address: HubAddress, files: Listed[]): { chosen: Listed[]; note?: string } {
  const { file, type } = address;
  const named = addressText({ ...address, file: undefined });
  const candidates = files.filter(({ path }) => ENDINGS[type].test(path) && !siblings({ path, blob: NONE }));
  if (file !== undefined) {
    const row = files.find(({ path }) => path === file);
    if (row) return { chosen: withParts(row, files) };
    throw new UserError(`${named} has no file "${file}"${hint(candidates, named)}`);
  }
  const usual = type === 'models' ? WEIGHTS : [];
  const row = usual.map((name) => files.find(({ path }) => path === name)).find((found) => found);
  if (row) {
    const others = candidates.filter(({ path }) => path !== row.path).map(({ path }) => path);
    const more = others.length > 0 ? ` (there are ${some(others)} too)` : '';
    return { chosen: withParts(row, files), note: `${row.path} of ${named} is taken${more}.` };
  }
  if (candidates.length === 1)
    return {
      chosen: withParts(candidates[0], files),
      note: `${candidates[0].path} of ${named} is taken, the only one of its kind.`,
    };
  if (candidates.length === 0)
    throw new UserError(`${named} holds no ${WHAT[type]}: name another repository.`);
  throw new UserError(
    `${named} holds ${candidates.length} files that may be meant${hint(candidates, named)}`,
  );
}

const NONE = new Blob();

const some = (paths: readonly string[]): string =>
  `${paths.slice(0, 6).join(', ')}${paths.length > 6 ? ' and more' : ''}`;

function hint(candidates: readonly Listed[], named: string): string {
  if (candidates.length === 0) return ': look at its page for their names.';
  const paths = candidates.map(({ path }) => path);
  return `: ${some(paths)}; name one, for example ${named}/${paths[0]}.`;
}

/** A file and those that hold parts of it: an index its shards, a shard the others, an ONNX model its tensors. */
function withParts(row: Listed, files: readonly Listed[]): Listed[] {
  const folder = row.path.slice(0, row.path.length - nameOf(row.path).length);
  const near = files.filter(
    ({ path }) => path.startsWith(folder) && nameOf(path) === path.slice(folder.length),
  );
  const isPart = (path: string): boolean => {
    const shards = siblings({ path: row.path, blob: NONE });
    if (shards) return shards.includes(nameOf(path));
    if (/\.onnx$/i.test(row.path))
      return path.startsWith(`${row.path}_data`) || path.startsWith(`${row.path}.data`);
    const [, stem, ending] = /^(.*)\.([^.]+)\.index\.json$/.exec(row.path) ?? [];
    return (
      stem !== undefined &&
      path.startsWith(`${stem}-`) &&
      path.endsWith(`.${ending}`) &&
      siblings({ path, blob: NONE }) !== undefined
    );
  };
  return [row, ...near.filter(({ path }) => path !== row.path && isPart(path))];
}
