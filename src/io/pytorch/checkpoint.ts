import { bytesOf } from '../blob';
import { explainAsync, FormatError, quote, Refusal } from '../format-error';
import { parseStrictJson, stringMap } from '../json';
import { type StateCopy, stateCopy } from '../state-copy';
import type { Zip } from '../zip';
import { EndOfBytes } from './byte-reader';
import { type FoundClasses, findClasses } from './class-names';
import { StorageRef, shown, torchHost } from './globals';
import { unpickle } from './pickle';
import { type PickleHost, type PickleValue, Placeholder } from './pickle-values';
import { type FoundState, findStates } from './states';
import { METADATA_ENTRY } from './storages';
import { checkTensors, readTensor, type Storages } from './tensors';

/** The first pickle of the stream format. */
const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;
/** A pickle holds names and shapes, not elements. */
const MAX_PICKLE = 2 ** 29;

/** What the pickle of a checkpoint describes, and where its elements are. */
interface Checkpoint {
  root: PickleValue;
  storages: Storages;
  metadata: Map<string, string>;
}

/** State dicts of a PyTorch checkpoint and what was noted beside them. */
export interface OpenedPyTorch {
  copies: StateCopy[];
  classes: FoundClasses[];
  metadata: Map<string, string>;
}

/** What a file may grow to in memory: compressed weights and tied or expanded tensors are allowed for. */
export function memoryLimit(bytes: number): number {
  return Math.max(2 ** 28, 8 * bytes);
}

/**
 * Opens a checkpoint of `torch.save`'s zip format (1.6 and later), whose entries lie under `folder`, out of `size` bytes. The pickle is
 * interpreted and never run; see `torchHost`. Throws a UserError that names `file` and what is wrong with it.
 */
export function openPyTorchZip(size: number, file: string, zip: Zip, folder: string): Promise<OpenedPyTorch> {
  return open(size, file, () => readZip(zip, folder));
}

/** Opens a checkpoint of the stream format before torch 1.6, as `openPyTorchZip` does. */
export function openPyTorchStream(blob: Blob, file: string): Promise<OpenedPyTorch> {
  return open(blob.size, file, () => readStream(blob));
}

async function open(size: number, file: string, read: () => Promise<Checkpoint>): Promise<OpenedPyTorch> {
  return explained(file, async () => {
    const { root, storages, metadata } = await read();
    const copies: StateCopy[] = [];
    let problem: unknown;
    for (const state of findStates(root)) {
      try {
        copies.push(openState(state, storages, file, memoryLimit(size)));
      } catch (error) {
        problem ??= error;
      }
    }
    if (copies.length === 0) throw problem;
    return { copies, classes: findClasses(root), metadata };
  });
}

function openState(
  { name, tensors, unreadable }: FoundState,
  storages: Storages,
  file: string,
  maxBytes: number,
): StateCopy {
  for (const [tensor, reason] of unreadable)
    throw new Refusal(`has a tensor ${quote(tensor)} that ${reason}`);
  checkTensors(tensors, storages, maxBytes);
  return stateCopy(file, name, tensors, (key) =>
    explained(file, () => readTensor(tensors.get(key)!, storages)),
  );
}

function explained<T>(file: string, read: () => Promise<T>): Promise<T> {
  return explainAsync(
    `${file} is not a PyTorch checkpoint that can be read`,
    'save it again with torch.save(model.state_dict(), path)',
    read,
  );
}

async function readZip(zip: Zip, folder: string): Promise<Checkpoint> {
  const text = async (name: string) => new TextDecoder().decode(await zip.read(`${folder}${name}`));
  const has = (name: string) => zip.names.includes(`${folder}${name}`);
  if (has('byteorder') && (await text('byteorder')) !== 'little') refuseBigEndian();
  if (zip.size(`${folder}data.pkl`) > MAX_PICKLE) throw new FormatError('its pickle is too large');
  const { value } = unpickle(await zip.read(`${folder}data.pkl`), 0, torchHost);
  const opened = new Map<string, Promise<Blob>>();
  const storages: Storages = {
    size({ key }) {
      if (!has(`data/${key}`)) throw new FormatError(`it lacks its storage ${quote(key)}`);
      return zip.size(`${folder}data/${key}`);
    },
    open({ key }) {
      const content = opened.get(key) ?? zip.open(`${folder}data/${key}`);
      opened.set(key, content);
      return content;
    },
  };
  const metadata = has(METADATA_ENTRY)
    ? stringMap(parseStrictJson(await text(METADATA_ENTRY)), METADATA_ENTRY)
    : new Map();
  return { root: value, storages, metadata };
}

/** Five pickles (magic number, protocol, machine, object, storage keys), then each storage: count and elements. */
async function readStream(blob: Blob): Promise<Checkpoint> {
  const { root, keys, refs, end } = await readPickles(blob);
  const places = new Map<string, number>();
  let at = end;
  for (const key of keys) {
    const ref = typeof key === 'string' ? refs.get(key) : undefined;
    if (!ref) throw new FormatError('its list of storages names one that no tensor uses');
    places.set(ref.key, at);
    at += 8 + ref.bytes;
    if (at > blob.size) throw new FormatError(`it ends in the middle of storage ${quote(ref.key)}`);
  }
  const storages: Storages = {
    size({ key, bytes }) {
      if (!places.has(key)) throw new FormatError(`it lacks its storage ${quote(key)}`);
      return refs.get(key)?.bytes ?? bytes;
    },
    async open({ key, total }) {
      const place = places.get(key)!;
      const count = new DataView((await bytesOf(blob, place, place + 8)).buffer).getBigInt64(0, true);
      if (count !== BigInt(total)) throw new FormatError(`its storage ${quote(key)} has two different sizes`);
      return blob.slice(place + 8, place + 8 + refs.get(key)!.bytes);
    },
  };
  return { root, storages, metadata: new Map() };
}

interface Pickles {
  root: PickleValue;
  keys: PickleValue[];
  refs: Map<string, StorageRef>;
  end: number;
}

/** Nothing says how long the pickles are: more and more of the file is tried. */
async function readPickles(blob: Blob): Promise<Pickles> {
  for (let size = 2 ** 20; ; size *= 4) {
    try {
      return parsePickles(await bytesOf(blob, 0, size));
    } catch (error) {
      if (!(error instanceof EndOfBytes) || size >= blob.size || size >= MAX_PICKLE) throw error;
    }
  }
}

function parsePickles(bytes: Uint8Array): Pickles {
  const refs = new Map<string, StorageRef>();
  const recorder: PickleHost = {
    global: torchHost.global,
    persistent(id) {
      const ref = torchHost.persistent(id);
      if (ref instanceof StorageRef) refs.set(ref.key, ref);
      return ref;
    },
  };
  let at = 0;
  const next = (): PickleValue => {
    const { value, end } = unpickle(bytes, at, recorder);
    at = end;
    return value;
  };
  const first = next();
  if (first !== MAGIC) {
    const what = first instanceof Placeholder ? ` (it holds the Python object ${shown(first.name)})` : '';
    throw new Refusal(
      `is a pickle that torch.save did not write${what}; load it in Python and save its tensors: torch.save({name: tensor, ...}, "weights.pth")`,
    );
  }
  if (next() !== PROTOCOL) throw new FormatError(`its protocol is not ${PROTOCOL}`);
  const machine = next();
  if (machine instanceof Map && machine.get('little_endian') === false) refuseBigEndian();
  const root = next();
  const keys = next();
  if (!Array.isArray(keys)) throw new FormatError('its list of storages is malformed');
  return { root, keys, refs, end: at };
}

function refuseBigEndian(): never {
  throw new FormatError('it was written on a big-endian machine');
}
