import { zipSync } from 'fflate';
import { UserError } from '../../errors';
import { quote } from '../format-error';
import { type Dtype, encodeElements, type StateDict } from '../tensor';
import { METADATA_ENTRY, storageName } from './storages';

const FOLDER = 'archive/';
/** Storages begin at multiples of it, as torch.save lays them, so that torch.load can map the file. */
const ALIGNMENT = 64;
/** Extra field of a zip entry that torch.save uses as padding: "FB". */
const PADDING_FIELD = 0x4246;

/**
 * Writes what `torch.save(state_dict, path)` writes: an OrderedDict of tensors in its order, each with a storage of its
 * own and its `dtype`. The pickle names nothing but what tensors are made of, so `torch.load(path, weights_only=True)`
 * reads it. `metadata` goes into an entry of the archive that PyTorch passes over. The same input gives the same bytes.
 */
export function writePyTorch(
  tensors: StateDict,
  metadata: ReadonlyMap<string, string> = new Map(),
): Uint8Array<ArrayBuffer> {
  const text = (value: string) => new TextEncoder().encode(value);
  const entries: [name: string, content: Uint8Array][] = [
    ['data.pkl', pickleOf(tensors)],
    ['byteorder', text('little')],
    ...[...tensors.values()].map(({ data, dtype }, key): [string, Uint8Array] => [
      `data/${key}`,
      encodeElements(data, dtype),
    ]),
    ['version', text('3\n')],
  ];
  if (metadata.size > 0) entries.push([METADATA_ENTRY, text(jsonOf(metadata))]);
  const files: Record<string, [Uint8Array, { extra: Record<number, Uint8Array> }]> = {};
  let at = 0;
  for (const [name, content] of entries) {
    const header = 30 + FOLDER.length + name.length + 4;
    const padding = (ALIGNMENT - ((at + header) % ALIGNMENT)) % ALIGNMENT;
    files[FOLDER + name] = [content, { extra: { [PADDING_FIELD]: new Uint8Array(padding) } }];
    at += header + padding + content.length;
  }
  // a date that does not change; zip begins in 1980
  return zipSync(files, { level: 0, mtime: new Date(1980, 0, 1) });
}

/** An object would move numeric keys to the front and lose `__proto__`. */
function jsonOf(metadata: ReadonlyMap<string, string>): string {
  const pairs = [...metadata].map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
  return `{${pairs.join(',')}}`;
}

function pickleOf(tensors: StateDict): Uint8Array {
  const pickle = new PickleWriter();
  pickle.emptyOrderedDict();
  pickle.mark();
  [...tensors].forEach(([name, { shape, dtype, data }], key) => {
    pickle.string(name);
    pickle.global('torch._utils', '_rebuild_tensor_v2');
    pickle.mark();
    pickle.mark();
    pickle.string('storage');
    pickle.global('torch', storageOf(dtype, name));
    pickle.string(`${key}`);
    pickle.string('cpu');
    pickle.integer(data.length);
    pickle.tuple();
    pickle.persistentId();
    pickle.integer(0);
    pickle.integers(shape);
    pickle.integers(stridesOf(shape));
    pickle.false();
    pickle.emptyOrderedDict();
    pickle.tuple();
    pickle.reduce();
  });
  return pickle.end();
}

function storageOf(dtype: Dtype, name: string): string {
  const storage = storageName(dtype);
  if (storage) return storage;
  throw new UserError(
    `Tensor ${quote(name)} is of the type ${dtype}, for which PyTorch's files have no storage; write safetensors.`,
  );
}

function stridesOf(shape: readonly number[]): number[] {
  let step = 1;
  return shape
    .toReversed()
    .map((extent) => {
      const stride = step;
      step *= Math.max(extent, 1);
      return stride;
    })
    .reverse();
}

/** Instructions of pickle's protocol 2; docs.python.org/3/library/pickletools.html. */
class PickleWriter {
  private readonly bytes: number[] = [0x80, 2];

  mark(): void {
    this.code('(');
  }

  /** of everything after the last mark */
  tuple(): void {
    this.code('t');
  }

  reduce(): void {
    this.code('R');
  }

  persistentId(): void {
    this.code('Q');
  }

  false(): void {
    this.code('\x89');
  }

  emptyOrderedDict(): void {
    this.global('collections', 'OrderedDict');
    this.code(')R');
  }

  global(module: string, name: string): void {
    this.code(`c${module}\n${name}\n`);
  }

  string(value: string): void {
    const utf8 = new TextEncoder().encode(value);
    this.code('X');
    this.int32(utf8.length);
    for (const byte of utf8) this.bytes.push(byte);
  }

  integers(values: readonly number[]): void {
    this.mark();
    for (const value of values) this.integer(value);
    this.tuple();
  }

  /** @param value whole, from 0 below 2^53 */
  integer(value: number): void {
    if (value < 256) this.bytes.push(0x4b, value);
    else if (value < 2 ** 31) {
      this.code('J');
      this.int32(value);
    } else {
      this.bytes.push(0x8a, 8);
      this.int32(value % 2 ** 32);
      this.int32(Math.floor(value / 2 ** 32));
    }
  }

  /** Closes the dict and the pickle. */
  end(): Uint8Array {
    this.code('u.');
    return Uint8Array.from(this.bytes);
  }

  private code(ascii: string): void {
    for (const char of ascii) this.bytes.push(char.charCodeAt(0));
  }

  private int32(value: number): void {
    this.bytes.push(value & 255, (value >>> 8) & 255, (value >>> 16) & 255, (value >>> 24) & 255);
  }
}
