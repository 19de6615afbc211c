import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/errors';
import type { NamedBlob } from '../../../src/io/blob';
import { writePyTorch } from '../../../src/io/pytorch/write';
import { writeSafetensors } from '../../../src/io/safetensors';
import { floats, type StateDict } from '../../../src/io/tensor';
import { openWeights } from '../../../src/io/weights-file';

const A = 'model-00001-of-00002.safetensors';
const B = 'model-00002-of-00002.safetensors';
const INDEX = 'model.safetensors.index.json';
const first: StateDict = new Map([['a', floats([1], [1])]]);
const second: StateDict = new Map([
  ['b', floats([2], [2, 3])],
  ['c', floats([1], [4])],
]);
const file = (path: string, content: Uint8Array | string): NamedBlob => ({
  path,
  blob: new Blob([content as Uint8Array<ArrayBuffer> | string]),
});
const shard = (path: string, tensors: StateDict) =>
  file(path, writeSafetensors(tensors, new Map([['format', 'pt']])));
const index = (map: Record<string, string>) =>
  file(INDEX, JSON.stringify({ metadata: { total_size: 16 }, weight_map: map }));
const both = [shard(A, first), shard(B, second)];
const map = { a: A, b: B, c: B };

test.each<[string, NamedBlob[]]>([
  ['with their index', [index(map), ...both]],
  [
    'in any order, out of a folder with more in it',
    [file('net/config.json', '{}'), ...both.toReversed(), index(map)],
  ],
  ['without their index', both],
])('shards %s are one state dict', async (_, files) => {
  const { copies, format, metadata } = await openWeights(...files);
  expect(copies.map(({ name, entries }) => [name, [...entries.keys()]])).toEqual([['', ['a', 'b', 'c']]]);
  expect(await copies[0].read()).toEqual(new Map([...first, ...second]));
  expect(await copies[0].read(new Set(['b']))).toEqual(new Map([['b', second.get('b')]]));
  expect([format, metadata.get('format')]).toEqual(['safetensors', 'pt']);
});

test('the index may name a single file', async () => {
  const opened = await openWeights(index({ a: 'model.safetensors' }), shard('model.safetensors', first));
  expect(await opened.copies[0].read()).toEqual(first);
});

describe('what does not belong together is refused', () => {
  const cases: [string, NamedBlob[], RegExp][] = [
    [
      'a shard alone',
      [both[0]],
      /^model-00001-of-00002\.safetensors belongs to 2 files, and "model-00002-of-00002\.safetensors" is not among those chosen; choose all/,
    ],
    [
      'an index alone',
      [index(map)],
      /^model\.safetensors\.index\.json belongs to 2 files, and "model-00001.*", "model-00002.*" are not among/,
    ],
    [
      'an index and one shard',
      [index(map), both[1]],
      /"model-00001-of-00002\.safetensors" is not among those chosen/,
    ],
    [
      'a tensor twice',
      [both[0], shard(B, first)],
      /has tensor "a" twice, in model-00001.* and in model-00002/,
    ],
    [
      'a tensor in another shard than the index says',
      [index({ a: A, b: A, c: B }), ...both],
      /is not the index of model-00002-of-00002\.safetensors, which holds tensor "b" that the index has in "model-00001/,
    ],
    [
      'a tensor that the index does not name',
      [index({ a: A, b: B }), ...both],
      /which holds tensor "c" that the index does not name/,
    ],
    [
      'a tensor that no shard has',
      [index({ ...map, d: B }), ...both],
      /names tensor "d" in "model-00002-of-00002\.safetensors", which lacks it/,
    ],
    [
      'an index with a name twice',
      [file(INDEX, `{"weight_map":{"a":"${A}","a":"${B}"}}`), ...both],
      /is no index of shards: the key "a" is there twice/,
    ],
    ['an index without a map', [file(INDEX, '{"weight_map":[]}'), ...both], /weight_map is not an object/],
    [
      'an index that is cut',
      [file(INDEX, '{"weight_map":{'), ...both],
      /is no index of shards: there is the end/,
    ],
    [
      'a map of numbers',
      [file(INDEX, '{"weight_map":{"a":1}}'), ...both],
      /the value of "a" in weight_map is not a string/,
    ],
    [
      'a damaged shard',
      [both[0], file(B, 'x'.repeat(20))],
      /^model-00002-of-00002\.safetensors is not a valid safetensors file/,
    ],
    [
      'two files of weights',
      [shard('a.safetensors', first), file('b.pth', writePyTorch(first))],
      /There are 2 files of weights \(a\.safetensors, b\.pth\); choose one/,
    ],
    ['nothing', [], /There is no file of weights; choose/],
    ['hidden files alone', [file('net/.DS_Store', 'x'), file('net/', '')], /There is no file of weights/],
  ];
  test.each(cases)('%s', async (_, files, message) => {
    await expect(openWeights(...files)).rejects.toThrow(UserError);
    await expect(openWeights(...files)).rejects.toThrow(message);
  });
});

test('of a folder with one file of weights, that one is taken', async () => {
  const opened = await openWeights(
    file('net/config.json', '{"a": 1}'),
    file('net/net.pth', writePyTorch(first)),
    file('net/README.md', '# net'),
  );
  expect([opened.file, opened.copies.length]).toEqual(['net/net.pth', 1]);
});

test('a folder of arrays is named by its first', async () => {
  const start = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59);
  const opening = openWeights(file('net/a.npy', start), file('net/b.npy', start));
  await expect(opening).rejects.toThrow(/^net\/a\.npy is a NumPy array; put all arrays into one file/);
});
