import { readFileSync } from 'node:fs';
import { unzipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { unpickle } from '../../../src/io/pytorch/pickle';
import { PickleGlobal, type PickleValue } from '../../../src/io/pytorch/pickle-values';
import { writePyTorch } from '../../../src/io/pytorch/write';
import cases from '../../fixtures/pickles.json';
import { readBytes } from './read-bytes';

const host = {
  global: (module: string, name: string) =>
    new PickleGlobal(`${module}.${name}`, (args) => (name === 'OrderedDict' ? new Map() : [name, ...args])),
  persistent: (id: PickleValue): PickleValue => ['persistent', id],
};

/** A value as the fixture writes it (see make_pickles.py). */
function plain(value: PickleValue): unknown {
  if (value instanceof Uint8Array) return { bytes: [...value] };
  if (typeof value === 'bigint') return { int: `${value}` };
  if (value instanceof Map) return { dict: [...value].map(([k, v]) => [plain(k), plain(v)]) };
  if (value instanceof PickleGlobal) return value.name;
  return Array.isArray(value) ? value.map(plain) : value;
}

const read = (bytes: Uint8Array, start = 0) => unpickle(bytes, start, host);

describe.each(cases)('$name', ({ value, pickles }) => {
  test.each(Object.entries(pickles))('in protocol %s', (_, base64) => {
    const bytes = Buffer.from(base64, 'base64');
    const { value: got, end } = read(bytes);
    expect(plain(got)).toEqual(value);
    expect(end).toBe(bytes.length);
  });
});

test('what is there twice is one value', () => {
  for (const base64 of Object.values(cases.find(({ name }) => name === 'what is there twice')!.pickles)) {
    const [first, second, dict] = read(Buffer.from(base64, 'base64')).value as PickleValue[];
    expect(second).toBe(first);
    expect((dict as Map<PickleValue, PickleValue>).get('again')).toBe(first);
  }
});

/** A pickle of ASCII instructions; `#` begins no comment. */
const ascii = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));

describe('instructions that Python 3 no longer writes', () => {
  test.each<[string, string, unknown]>([
    ["a string in quotes (Python 2's repr)", "S'conv'\n.", 'conv'],
    ['a string in double quotes', 'S"it\'s"\n.', "it's"],
    ['a string with one quote', "S'half\n.", "'half"],
    ['a short string', 'U\x03abc.', 'abc'],
    ['a string with a length', 'T\x03\0\0\0abc.', 'abc'],
    ['a number in text', 'I-12\n.', -12],
    ['a long number in text', 'L7L\n.', 7],
    ['true and false in text', '(I01\nI00\nl.', [true, false]],
    ['a dict of a mark', '(I1\nI2\nd.', { dict: [[1, 2]] }],
    ['items thrown away', '(I1\nI2\n0I3\nl.', [1, 3]],
    ['a mark thrown away', 'I5\n(I1\nI2\n1.', 5],
    ['an item doubled', '(I1\n2l.', [1, 1]],
    ['a memo by number in text', '(I9\np12\ng12\nl.', [9, 9]],
    ['a memo by a long number', '(I9\nr\x01\x02\0\0j\x01\x02\0\0l.', [9, 9]],
    ['a call of a name', '(I1\nI2\nimodule\nname\n.', ['name', 1, 2]],
    ['a call of an object', '(cmodule\nname\nI1\no.', ['name', 1]],
    ['a call of a tuple', 'cmodule\nname\n(I1\nI2\ntR.', ['name', 1, 2]],
    ['a new object with keywords', 'cmodule\nname\n(I1\nt}\x92.', ['name', 1, { dict: [] }]],
    ['a name off the stack', 'U\x06moduleU\x04name\x93)R.', ['name']],
    ['a persistent id', 'I3\nQ.', ['persistent', 3]],
  ])('%s', (_, text, value) => {
    expect(plain(read(ascii(text)).value)).toEqual(value);
  });

  test('a pickle may begin anywhere, and tells where it ends', () => {
    expect(read(ascii('..I1\n.rest'), 2)).toEqual({ value: 1, end: 6 });
  });
});

test.each<[string, string, RegExp]>([
  ['an instruction that there is not', 'I1\n?.', /byte 3 is 0x3f, not a pickle instruction/],
  ['a newer protocol', '\x80\x06N.', /newer than 5/],
  ['nothing to take', '.', /empty stack/],
  ['nothing to double', '2.', /empty stack/],
  ['no mark', 'I1\nt.', /lacks a mark/],
  ['a memo that is empty', 'h\x04.', /recalls entry 4/],
  ['a key without a value', '}(I1\nu.', /key without a value/],
  ['a list that is none', 'I1\nI2\na.', /no list/],
  ['a dict that is none', 'I1\nI2\nI3\ns.', /no dict/],
  ['a call of a number', 'I1\n)R.', /calls something that is no function/],
  ['a call with a number', 'cmodule\nname\nI1\nR.', /calls something that is no function/],
  ['a name that is a number', 'I1\nI2\n\x93.', /names no global/],
  ['a number that is none', 'Iten\n.', /a number that is none/],
  ['a number without end', `I${'1'.repeat(101)}\n.`, /a number that is none/],
  ['a number of very many bytes', `\x8a\x21${'\x01'.repeat(33)}.`, /a number of 33 bytes/],
])('%s is refused', (_, text, message) => {
  expect(() => read(ascii(text))).toThrow(message);
});

describe('what the writer of checkpoints pickles', () => {
  /** The value that a checkpoint's pickle makes, calls and storages written out. */
  function unpickled(archive: Uint8Array): unknown {
    const files = unzipSync(archive);
    const [name] = Object.keys(files).filter((path) => path.endsWith('/data.pkl'));
    return plain(read(files[name]).value);
  }
  const torch = new Uint8Array(readFileSync(new URL('../../fixtures/pytorch/zip.pt', import.meta.url)));

  test('is what torch.save pickled of the same tensors', async () => {
    const { tensors } = await readBytes(torch, 'zip.pt');
    expect(unpickled(writePyTorch(tensors))).toEqual(unpickled(torch));
  });

  test('holds numbers of every size', () => {
    // a storage of a tensor without elements may claim any shape: the sizes are what is written here
    for (const extent of [0, 1, 255, 256, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 40 + 3]) {
      const tensor = { dtype: 'F32' as const, shape: [extent, 0], data: new Float32Array() };
      expect(JSON.stringify(unpickled(writePyTorch(new Map([['w', tensor]]))))).toContain(`[${extent},0]`);
    }
  });
});
