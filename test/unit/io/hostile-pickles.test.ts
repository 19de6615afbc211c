import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/errors';
import { torchHost } from '../../../src/io/pytorch/globals';
import { unpickle } from '../../../src/io/pytorch/pickle';
import { readBytes } from './read-bytes';

/** Little-endian bytes of a number. */
const le = (value: number, size: number) =>
  Array.from({ length: size }, (_, i) => Math.floor(value / 256 ** i) % 256);
const ascii = (text: string) => [...text].map((char) => char.charCodeAt(0));
const text = (value: string) => [0x58, ...le(value.length, 4), ...ascii(value)];
const global = (module: string, name: string) => ascii(`c${module}\n${name}\n`);
const int = (value: number) => [0x8a, 8, ...le(value, 8)];
const tuple = (...items: number[][]) => [0x28, ...items.flat(), 0x74];
const pickle = (...body: number[][]) => new Uint8Array([0x80, 2, ...body.flat(), 0x2e]);
const REDUCE = [0x52];

function zip(data: Uint8Array, storages: Record<string, Uint8Array> = {}): Uint8Array {
  const entries = Object.entries(storages).map(([key, raw]) => [`net/data/${key}`, raw]);
  return zipSync({ 'net/data.pkl': data, ...Object.fromEntries(entries) }, { level: 0 });
}

/** `torch._utils._rebuild_tensor_v2` of float storage "0" with `total` elements. */
function tensor(total: number[], offset: number[], shape: number[][], stride: number[][]): number[] {
  const storage = [
    ...tuple(text('storage'), global('torch', 'FloatStorage'), text('0'), text('cpu'), total),
    0x51,
  ];
  const args = tuple(storage, offset, tuple(...shape), tuple(...stride), [0x89], [0x7d]);
  return [...global('torch._utils', '_rebuild_tensor_v2'), ...args, ...REDUCE];
}

/** A file of the format before torch 1.6: a pickle of `root`, one of the storages' keys, and the storages. */
function stream(root: number[], keys: number[], storages: number[] = []): Uint8Array {
  const magic = pickle([0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]);
  const pickles = [magic, pickle(int(1001)), pickle([0x7d]), pickle(root), pickle(keys)];
  return Uint8Array.from([...pickles.flatMap((part) => [...part]), ...storages]);
}

/** An archive of {"w": tensor} whose storage "0" has 16 bytes. */
function archive(w: number[]): Uint8Array {
  return zip(pickle([0x7d], text('w'), w, [0x73]), { 0: new Uint8Array(16) });
}

test('the builders above make an archive that reads', async () => {
  const bytes = archive(tensor(int(4), int(1), [int(3)], [int(1)]));
  expect((await readBytes(bytes, 'w.pt')).tensors.get('w')).toEqual({
    dtype: 'F32',
    shape: [3],
    data: new Float32Array(3),
  });
});

test('the form of newer types: an untyped storage counted in bytes, and the dtype beside it', async () => {
  const storage = [
    ...tuple(text('storage'), global('torch.storage', 'UntypedStorage'), text('0'), text('cpu'), int(16)),
    0x51,
  ];
  const args = tuple(
    storage,
    int(1),
    tuple(int(2)),
    tuple(int(1)),
    [0x89],
    [0x7d],
    global('torch', 'uint32'),
    [0x7d],
  );
  const w = [...global('torch._utils', '_rebuild_tensor_v3'), ...args, ...REDUCE];
  const bytes = zip(pickle([0x7d], text('w'), w, [0x73]), {
    0: new Uint8Array(new Uint32Array([1, 2, 3, 4]).buffer),
  });
  expect((await readBytes(bytes, 'w.pt')).tensors.get('w')).toEqual({
    dtype: 'U32',
    shape: [2],
    data: new Uint32Array([2, 3]),
  });
});

describe('the format before torch 1.6', () => {
  const w = [0x7d, ...text('w'), ...tensor(int(1), int(0), [int(1)], [int(1)]), 0x73];
  const keys = [0x5d, ...text('0'), 0x61];
  const storage = [...le(1, 8), 0, 0, 0x80, 0x3f];

  test('a storage that is a view of another', async () => {
    const view = tuple(text('view'), int(1), int(1));
    const id = tuple(text('storage'), global('torch', 'FloatStorage'), text('0'), text('cpu'), int(2), view);
    const args = tuple([...id, 0x51], int(0), tuple(int(1)), tuple(int(1)), [0x89], [0x7d]);
    const root = [
      0x7d,
      ...text('w'),
      ...global('torch._utils', '_rebuild_tensor_v2'),
      ...args,
      ...REDUCE,
      0x73,
    ];
    const two = [...le(2, 8), 0, 0, 0x80, 0x3f, 0, 0, 0, 0x40];
    const { tensors } = await readBytes(stream(root, keys, two), 'a.th');
    expect(tensors.get('w')!.data).toEqual(Float32Array.of(2));
  });

  test('a pickle of more than a mebibyte beside the weights', async () => {
    const notes = [0x58, ...le(3e6, 4), ...new Array<number>(3e6).fill(0x61)];
    const root = [0x7d, ...text('notes'), ...notes, 0x73, ...text('model'), ...w, 0x73];
    const { tensors, format } = await readBytes(stream(root, keys, storage), 'a.th');
    expect([format, tensors.get('w')!.data]).toEqual(['pytorch-legacy', Float32Array.of(1)]);
  });

  test.each<[string, Uint8Array, RegExp]>([
    [
      'a storage of another size than its tensors say',
      stream(w, keys, [...le(2, 8), 0, 0, 0x80, 0x3f]),
      /storage "0" has two different sizes/,
    ],
    ['a storage that is cut', stream(w, keys, storage.slice(0, 10)), /ends in the middle of storage "0"/],
    ['a storage that is not listed', stream(w, [0x5d]), /lacks its storage "0"/],
    [
      'a list with one that no tensor uses',
      stream(w, [0x5d, ...text('1'), 0x61], storage),
      /names one that no tensor uses/,
    ],
  ])('%s', async (_, bytes, message) => {
    await expect(readBytes(bytes, 'a.th')).rejects.toThrow(UserError);
    await expect(readBytes(bytes, 'a.th')).rejects.toThrow(message);
  });
});

describe('values', () => {
  const value = (...body: number[][]) => unpickle(pickle(...body), 0, torchHost).value;

  test('whole numbers keep sign and digits', () => {
    expect(value([0x8a, 2, 0x18, 0xfc])).toBe(-1000);
    expect(value([0x8a, 8, ...new Array(8).fill(0xff)])).toBe(-1);
    expect(value([0x8a, 0])).toBe(0);
    expect(value([0x8a, 8, 1, 0, 0, 0, 0, 0, 0, 0x80])).toBe(1n - 2n ** 63n);
    expect(value([0x4a, 0xfe, 0xff, 0xff, 0xff])).toBe(-2);
    expect(value(ascii('I01\n'))).toBe(true);
    expect(value(ascii('L-12L\n'))).toBe(-12);
  });

  test('a list goes into an OrderedDict once, so that a short pickle cannot fill the memory', () => {
    const pairs = [0x5d, 0x71, 0, ...text('k'), 0x4b, 1, 0x86, 0x61];
    const dict = [...global('collections', 'OrderedDict'), 0x68, 0, 0x85, 0x52];
    expect(value(tuple(pairs, dict, dict))).toEqual([[], new Map([['k', 1]]), new Map()]);
  });
});

describe('a pickle that names code', () => {
  const system = [...global('posix', 'system'), ...tuple(text('touch /tmp/owned')), ...REDUCE];
  const cases: [string, Uint8Array, string][] = [
    ['os.system in a zip', zip(pickle(global('os', 'system'), tuple(text('ls')), REDUCE)), 'os.system'],
    ['posix.system beside weights', zip(pickle([0x7d], text('w'), system, [0x73])), 'posix.system'],
    ['protocol 0', new Uint8Array(ascii("cos\nsystem\n(S'ls'\ntR.")), 'os.system'],
    ['INST', new Uint8Array(ascii("(S'ls'\nios\nsystem\n.")), 'os.system'],
    ['STACK_GLOBAL', zip(pickle(text('builtins'), text('eval'), [0x93])), 'builtins.eval'],
    ['the first pickle of a stream', pickle(global('os', 'system'), tuple(text('ls')), REDUCE), 'os.system'],
  ];
  test.each(cases)('%s', async (_, bytes, name) => {
    await expect(readBytes(bytes, 'evil.pt')).rejects.toThrow(UserError);
    await expect(readBytes(bytes, 'evil.pt')).rejects.toThrow(
      new RegExp(`^evil\\.pt names the Python object ${name.replace('.', '\\.')},.* it was not run`),
    );
  });
});

test('what an unknown function would have returned can be called, and nothing happens', async () => {
  const found = [
    ...global('builtins', 'getattr'),
    ...tuple(global('__main__', 'Net'), text('loss')),
    ...REDUCE,
  ];
  const w = tensor(int(4), int(0), [int(1)], [int(1)]);
  const items = [...text('w'), ...w, ...text('loss'), ...found, ...tuple(text('mean')), ...REDUCE];
  const bytes = zip(pickle([0x7d, 0x28, ...items, 0x75]), { 0: new Uint8Array(16) });
  expect([...(await readBytes(bytes, 'a.pt')).tensors.keys()]).toEqual(['w']);
});

describe('objects of classes that nobody here knows', () => {
  const cases: [string, number[], RegExp][] = [
    [
      'a class of one’s own',
      [...global('__main__', 'Net'), 0x29, 0x81],
      /^a\.pt holds the Python object __main__\.Net instead of .* it was not run/,
    ],
    [
      'a name of Object.prototype',
      global('torch', 'constructor'),
      /^a\.pt holds the Python object torch\.constructor instead of/,
    ],
    [
      'settings',
      [...global('__main__', 'Net'), 0x29, 0x81, 0x7d, ...text('lr'), 0x4b, 1, 0x73, 0x62],
      /^a\.pt holds the Python object __main__\.Net instead of/,
    ],
    [
      'a network with its code',
      [...global('__main__', 'Net'), 0x29, 0x81, 0x7d, ...text('_modules'), 0x7d, 0x73, 0x62],
      /^a\.pt holds a whole network, an object of the Python class __main__\.Net, .* torch\.save\(model\.state_dict/,
    ],
  ];
  test('a network of the format before torch 1.6, with the source of its class beside it', async () => {
    const id = tuple(text('module'), global('__main__', 'Net'), text('net.py'), text('class Net: pass'));
    const net = [...id, 0x51, 0x29, 0x81, 0x7d, ...text('_modules'), 0x7d, 0x73, 0x62];
    await expect(readBytes(stream(net, [0x5d]), 'a.pt')).rejects.toThrow(
      /holds a whole network, .* class __main__\.Net,/,
    );
  });

  test.each(cases)('%s', async (_, body, message) => {
    await expect(readBytes(zip(pickle(body)), 'a.pt')).rejects.toThrow(UserError);
    await expect(readBytes(zip(pickle(body)), 'a.pt')).rejects.toThrow(message);
  });
});

/** {"aaa...": {"0": tensor, "1": tensor, ...}}: each joined name takes 10 MB. */
function longNames(): Uint8Array {
  const w = [...tensor(int(4), int(0), [int(1)], [int(1)]), 0x71, 1];
  const items = Array.from({ length: 2000 }, (_, i) => [...text(`${i}.`), 0x68, 1]).flat();
  const inner = [0x7d, 0x28, ...text('first'), ...w, ...items, 0x75];
  const head = [0x80, 2, 0x7d, 0x58, ...le(1e7, 4)];
  const long = new Uint8Array(head.length + 1e7 + inner.length + 2).fill(0x61);
  long.set(head);
  long.set([...inner, 0x73, 0x2e], head.length + 1e7);
  return long;
}

/** Five levels of dicts, each with a hundred keys for the one below: 10^10 paths in 3 kB. */
function sharedDicts(): Uint8Array {
  const level = (depth: number): number[] => {
    const below = depth === 0 ? tensor(int(4), int(0), [int(1)], [int(1)]) : level(depth - 1);
    const keys = Array.from({ length: 100 }, (_, i) => [...text(`k${i}`), 0x68, depth]).flat();
    return [...below, 0x71, depth, 0x30, 0x7d, 0x28, ...keys, 0x75];
  };
  return pickle(level(4));
}

describe('malformed pickles', () => {
  const deep = new Uint8Array(200_000).fill(0x28);
  const laughs = Array.from({ length: 400 }, () => [0x32, 0x86, 0x71, 0]).flat();
  const itself = [0x5d, 0x71, 0, 0x68, 0, 0x61];
  const cases: [string, Uint8Array, RegExp][] = [
    ['nothing but marks', zip(deep), /ends in the middle/],
    ['a million empty dicts', zip(new Uint8Array(1_100_000).fill(0x7d)), /more than 1000000 instructions/],
    ['a name of 10 MB before 2,000 others', zip(longNames()), /too many things by name/],
    ['dicts of dicts that are the same', zip(sharedDicts()), /too many things by name/],
    ['2^400 shared tuples', zip(pickle([0x5d], laughs)), /no tensors/],
    ['a list in itself', zip(pickle(itself)), /no tensors/],
    ['a dict in itself', zip(pickle([0x7d, 0x71, 0], text('model'), [0x68, 0, 0x73])), /only "model"/],
    ['a string of 4 GB', zip(pickle([0x58, 255, 255, 255, 255])), /ends in the middle/],
    ['bytes of 2^64', zip(pickle([0x8e, ...new Array(8).fill(255)])), /ends in the middle/],
    ['a frame at the end', zip(new Uint8Array([0x80, 4, 0x95, 0])), /ends in the middle/],
    ['a number of 4 GB', zip(pickle([0x8b, 255, 255, 255, 255])), /number of 4294967295 bytes/],
    ['a line without an end', zip(new Uint8Array(100_000).fill(0x63)), /line without an end/],
    ['an empty stack', zip(pickle([0x30])), /empty stack/],
    ['no mark', zip(pickle([0x74])), /lacks a mark/],
    ['memo that was never stored', zip(pickle([0x68, 9])), /recalls entry 9/],
    ['a call of a string', zip(pickle(text('f'), [0x29, 0x52])), /calls something/],
    ['append to a number', zip(pickle([0x4b, 1, 0x4b, 2, 0x61])), /appends to/],
    ['a key of a list', zip(pickle([0x5d, 0x4e, 0x4e, 0x73])), /sets a key/],
    ['odd SETITEMS', zip(pickle([0x7d, 0x28, 0x4e, 0x75])), /key without a value/],
    ['an unknown instruction', zip(pickle([0xff])), /0xff, not a pickle instruction/],
    ['an extension code', zip(pickle([0x82, 1])), /0x82, not a pickle instruction/],
    ['protocol 6', zip(new Uint8Array([0x80, 6, 0x4e, 0x2e])), /newer than 5/],
    ['a storage that is a number', zip(pickle([0x4b, 1, 0x51])), /storage in it is malformed/],
    ['two checkpoints', zipSync({ 'a/data.pkl': pickle(), 'b/data.pkl': pickle() }), /holds 2 checkpoints/],
    [
      'no tensors, only settings',
      zip(pickle([0x7d], text('lr'), [0x4b, 1, 0x73])),
      /no tensors by name, only "lr"/,
    ],
  ];
  test.each(cases)('%s', async (_, bytes, message) => {
    await expect(readBytes(bytes, 'bad.pt')).rejects.toThrow(UserError);
    await expect(readBytes(bytes, 'bad.pt')).rejects.toThrow(message);
    await expect(readBytes(bytes, 'bad.pt')).rejects.toThrow(
      /^bad\.pt is not a (PyTorch checkpoint|zip archive) that can be read/,
    );
  });
});

describe('tensors that lie about their storage', () => {
  const huge = int(2 ** 40);
  const cases: [string, number[], RegExp][] = [
    [
      'offset beyond the end',
      tensor(int(4), int(2), [int(3)], [int(1)]),
      /"w" reaches beyond its storage "0"/,
    ],
    ['stride beyond the end', tensor(int(4), int(0), [int(2)], [int(4)]), /reaches beyond/],
    ['storage larger than its entry', tensor(int(5), int(0), [int(1)], [int(1)]), /storage "0" is cut off/],
    ['expanded to terabytes', tensor(int(4), int(0), [huge, int(4)], [int(0), int(1)]), /grow beyond/],
    [
      'extent product that overflows',
      tensor(int(4), int(0), [huge, huge, huge], [int(0), int(0), int(0)]),
      /grow/,
    ],
    ['stride that overflows', tensor(int(4), int(0), [int(2)], [int(2 ** 53 - 1)]), /reaches beyond/],
    [
      'negative extent',
      tensor(int(4), int(0), [[0x4a, 255, 255, 255, 255]], [int(1)]),
      /tensor in it is malformed/,
    ],
    ['negative offset', tensor(int(4), [0x4a, 255, 255, 255, 255], [int(1)], [int(1)]), /malformed/],
    ['strides missing', tensor(int(4), int(0), [int(1)], []), /other strides/],
    [
      '65 dimensions',
      tensor(int(4), int(0), new Array(65).fill(int(1)), new Array(65).fill(int(1))),
      /malformed/,
    ],
  ];
  test.each(cases)('%s', async (_, w, message) => {
    await expect(readBytes(archive(w), 'bad.pt')).rejects.toThrow(UserError);
    await expect(readBytes(archive(w), 'bad.pt')).rejects.toThrow(message);
  });
});

test('NaN and infinity are refused by the name of their tensor', async () => {
  for (const [value, shown] of [
    [Number.NaN, 'NaN'],
    [Number.NEGATIVE_INFINITY, '-Infinity'],
  ] as const) {
    const raw = new Uint8Array(new Float32Array([0, 1, value, 3]).buffer);
    const w = tensor(int(4), int(0), [int(4)], [int(1)]);
    const bytes = zip(pickle([0x7d], text('conv.weight'), w, [0x73]), { 0: raw });
    await expect(readBytes(bytes, 'bad.pt')).rejects.toThrow(UserError);
    await expect(readBytes(bytes, 'bad.pt')).rejects.toThrow(
      `bad.pt: tensor "conv.weight" holds ${shown} at element 2;`,
    );
  }
});

test('an empty file and one without tensors', async () => {
  await expect(readBytes(new Uint8Array(), 'a.pt')).rejects.toThrow(/^a\.pt is empty/);
  const bare = new Uint8Array([2, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d]);
  await expect(readBytes(bare, 'a.safetensors')).rejects.toThrow(/^a\.safetensors holds no tensor/);
});
