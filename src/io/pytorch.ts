import { explain, FormatError, quote } from './format-error';
import { type PickleHost, type PickleValue, unpickle } from './pickle';
import { type StorageRef, torchHost } from './pytorch-globals';
import { findStateDict, readTensors } from './state-dict';
import type { StateDict } from './tensor';
import { DTYPE_BYTES, type WeightsFile } from './tensor';
import { openZip } from './zip';

const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;

/**
 * Reads the state dict of a PyTorch checkpoint, of `torch.save`'s zip format (1.6 and later) or the stream format
 * before it. The pickle is interpreted over an allow-list and never run; see `torchHost`. Nested checkpoints are
 * searched, see `findStateDict`. Throws a UserError that names `file` and what is wrong with it.
 */
export function readPyTorch(
  bytes: Uint8Array,
  file: string,
): { tensors: StateDict; format: WeightsFile['format'] } {
  const zip = isZip(bytes);
  return explain(
    `${file} is not a PyTorch checkpoint that can be read`,
    'save it again with torch.save(model.state_dict(), path)',
    () => ({
      tensors: zip ? readZipFormat(bytes, torchHost(file)) : readStreamFormat(bytes, torchHost(file)),
      format: zip ? 'pytorch-zip' : 'pytorch-legacy',
    }),
  );
}

/** Whether `bytes` begin as a zip archive does. */
export function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4;
}

/** What a file may grow to in memory: compressed weights and tied or expanded tensors are allowed for. */
function memoryLimit(bytes: Uint8Array): number {
  return Math.max(2 ** 28, 8 * bytes.length);
}

function readZipFormat(bytes: Uint8Array, host: PickleHost): StateDict {
  const zip = openZip(bytes, memoryLimit(bytes));
  const pickles = zip.names.filter((name) => /^([^/]+\/)?data\.pkl$/.test(name));
  if (pickles.length !== 1)
    throw new FormatError(`it holds ${pickles.length} files data.pkl, one is expected`);
  const folder = pickles[0].slice(0, -'data.pkl'.length);
  if (zip.names.includes(`${folder}constants.pkl`)) {
    throw new FormatError('it is a TorchScript program, which holds code, and not a state dict');
  }
  const byteOrder = `${folder}byteorder`;
  if (zip.names.includes(byteOrder) && new TextDecoder().decode(zip.read(byteOrder)) !== 'little')
    refuseBigEndian();

  const { value } = unpickle(zip.read(pickles[0]), 0, host);
  const cache = new Map<string, Uint8Array>();
  const storage = ({ key, total, dtype }: StorageRef) => {
    const raw = cache.get(key) ?? zip.read(`${folder}data/${key}`);
    if (raw.length < total * DTYPE_BYTES[dtype])
      throw new FormatError(`its storage ${quote(key)} is cut off`);
    cache.set(key, raw);
    return raw;
  };
  return readTensors(findStateDict(value), storage, memoryLimit(bytes));
}

/** Five pickles (magic number, protocol, machine, object, storage keys), then each storage: count and elements. */
function readStreamFormat(bytes: Uint8Array, host: PickleHost): StateDict {
  const seen = new Map<string, StorageRef>();
  const recorder: PickleHost = {
    global: host.global,
    persistent(id) {
      const ref = host.persistent(id) as StorageRef;
      seen.set(ref.key, ref);
      return ref;
    },
  };
  let at = 0;
  const next = (): PickleValue => {
    const { value, end } = unpickle(bytes, at, recorder);
    at = end;
    return value;
  };
  if (next() !== MAGIC) throw new FormatError("it does not begin with PyTorch's magic number");
  if (next() !== PROTOCOL) throw new FormatError(`its protocol is not ${PROTOCOL}`);
  const machine = next();
  if (machine instanceof Map && machine.get('little_endian') === false) refuseBigEndian();
  const root = next();
  const keys = next();
  if (!Array.isArray(keys)) throw new FormatError('its list of storages is malformed');

  const storages = new Map<string, Uint8Array>();
  for (const key of keys) {
    const ref = typeof key === 'string' ? seen.get(key) : undefined;
    if (!ref) throw new FormatError('its list of storages names one that no tensor uses');
    const size = ref.total * DTYPE_BYTES[ref.dtype];
    if (at + 8 + size > bytes.length)
      throw new FormatError(`it ends in the middle of storage ${quote(ref.key)}`);
    const count = new DataView(bytes.buffer, bytes.byteOffset + at, 8).getBigInt64(0, true);
    if (count !== BigInt(ref.total))
      throw new FormatError(`its storage ${quote(ref.key)} has two different sizes`);
    storages.set(ref.key, bytes.subarray(at + 8, at + 8 + size));
    at += 8 + size;
  }
  const storage = ({ key }: StorageRef) => {
    const raw = storages.get(key);
    if (!raw) throw new FormatError(`it lacks storage ${quote(key)}`);
    return raw;
  };
  return readTensors(findStateDict(root), storage, memoryLimit(bytes));
}

function refuseBigEndian(): never {
  throw new FormatError('it was written on a big-endian machine');
}
