import { expect, test } from 'vitest';
import { UserError } from '../../../src/errors';
import { createModel } from '../../../src/model/zoo';
import { checkClasses, loadData, skippedWarning } from '../../../src/run/data-source';

test('images that were skipped are counted, the first one named', () => {
  const skipped = [
    { path: 'cat/1.jpg', reason: 'it is cut off' },
    { path: 'cat/2.jpg', reason: 'it is empty' },
  ];
  expect(skippedWarning({ skipped: [] })).toBeUndefined();
  expect(skippedWarning({ skipped: skipped.slice(1) })).toBe('1 image was skipped, cat/2.jpg: it is empty');
  expect(skippedWarning({ skipped })).toBe('2 images were skipped, first cat/1.jpg: it is cut off');
});

test('images must have as many classes as the network', () => {
  const model = createModel('resnet20_cifar', { classes: 3 });
  const network = { file: 'net.pt', model } as unknown as Parameters<typeof checkClasses>[0];
  const check = (...classes: string[]) =>
    checkClasses(network, { classes } as unknown as Parameters<typeof checkClasses>[1]);
  check('a', 'b', 'c');
  expect(() => check('a', 'b')).toThrow(UserError);
  expect(() => check('a', 'b')).toThrow('net.pt tells 3 classes apart, the images have 2 (a, b): use images');
  expect(() => check('a', 'b', 'c', 'd', 'e')).toThrow('have 5 (a, b, c, d, e): use');
  expect(() => check('a', 'b', 'c', 'd', 'e', 'f')).toThrow('have 6 (a, b, c, d, e, ...): use');
});

test('the built-in images are as many as asked for, and no more than there are', async () => {
  const count = async (split: 'train' | 'test', limit?: number) =>
    (await loadData({ kind: 'builtin', split }, { split, limit })).count;
  expect(await count('train', 30)).toBe(30);
  expect(await count('test', 7)).toBe(7);
  expect(await count('test', 0)).toBe(await count('test'));
  expect(await count('test', 1e9)).toBe(await count('test'));
});
