import { expect, test } from 'vitest';
import { readLabels } from '../../../src/run/labels';

const labels = (contents: BlobPart) => readLabels({ path: 'labels.txt', blob: new Blob([contents]) });

test('names of classes: a line each, or a JSON array', async () => {
  expect(await labels('cat\r\n\n dog \nред\n')).toEqual(['cat', 'dog', 'ред']);
  expect(await labels('\uFEFF["cat", "dog"]')).toEqual(['cat', 'dog']);
});

test('a name that several rows have is told apart by them, as ImageNet’s crane', async () => {
  expect(await labels('crane\nharp\ncrane\n')).toEqual(['crane (row 0)', 'harp', 'crane (row 2)']);
});

test.each<[string, BlobPart]>([
  ['an object', '{"0": "cat"}'],
  ['numbers', '[1, 2]'],
  ['a torn array', '["cat",'],
  ['a picture', new Uint8Array([0xff, 0xd8, 0xff, 0xe0, 0, 16])],
  ['UTF-16', new Uint8Array([0xff, 0xfe, 0x63, 0, 0x61, 0])],
])('%s is no list of classes', async (_, contents) => {
  await expect(labels(contents)).rejects.toThrow(/^labels\.txt is no list of classes: /);
});
