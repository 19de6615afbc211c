import { gzipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { loadImageSet } from '../../../src/data/image-set';
import { thumbnailsOf } from '../../../src/data/thumbnails';
import { bytesOf, userFile, userFiles } from './helpers';

/** `count` records of label i mod 10 whose planes are filled with 3i, 3i + 1, 3i + 2. */
function cifarBatch(count: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(count * 3073);
  for (let i = 0; i < count; i++) {
    bytes[i * 3073] = i % 10;
    for (let c = 0; c < 3; c++) bytes.fill(3 * i + c, i * 3073 + 1 + c * 1024, i * 3073 + 1 + (c + 1) * 1024);
  }
  return bytes;
}

describe('CIFAR-10 binary batches', () => {
  test('planes become RGB; training and test batches are told apart', async () => {
    const files = userFiles({
      'cifar/data_batch_1.bin': cifarBatch(12),
      'cifar/data_batch_2.bin': cifarBatch(3),
      'cifar/test_batch.bin': cifarBatch(2),
      'cifar/readme.html': new Uint8Array(3),
    });
    const { train, test: held, report } = await loadImageSet(files);
    const images = train?.images;
    expect(images).toMatchObject({ count: 15, width: 32, height: 32 });
    expect([...(images?.labels.subarray(9) ?? [])]).toEqual([9, 0, 1, 0, 1, 2]);
    expect([...bytesOf(images!).subarray(3072, 3078)]).toEqual([3, 4, 5, 3, 4, 5]);
    expect(images?.classes[9]).toBe('truck');
    expect(held?.images.count).toBe(2);
    expect(report.duplicates).toMatchObject({ copies: 3, leaked: 2 });
    expect((await loadImageSet(files, { use: 'test' })).test?.images.count).toBe(2);
    const few = await loadImageSet(files, { use: 'train', limit: 10, size: 16 });
    expect(bytesOf(few.train!.images).length).toBe(10 * 16 * 16 * 3);
  });

  test('an image has a name by which it can be shown', async () => {
    const files = userFiles({ 'data_batch_1.bin': cifarBatch(3), 'test_batch.bin': cifarBatch(2) });
    const { test: held } = await loadImageSet(files);
    expect(held!.images.paths).toEqual(['image 0 of test_batch.bin', 'image 1 of test_batch.bin']);
    const names = ['image 1 of test_batch.bin', 'image 2 of test_batch.bin', 'image 2 of data_batch_1.bin'];
    const found = await thumbnailsOf(files, names, { side: 32 });
    expect(found.map(({ image, pixels }) => [image, ...pixels.subarray(0, 3)])).toEqual([
      [names[0], 3, 4, 5],
      [names[2], 6, 7, 8],
    ]);
  });

  test('a wrong length or label is refused', async () => {
    await expect(loadImageSet([userFile('a.bin', new Uint8Array(3000))])).rejects.toThrow('3073');
    const wrong = cifarBatch(2);
    wrong[3073] = 10;
    await expect(loadImageSet([userFile('a.bin', wrong)])).rejects.toThrow('label 10');
  });

  test('CIFAR-100 has a coarse and a fine label, of which the fine one counts', async () => {
    const bytes = new Uint8Array(5 * 3074);
    for (let i = 0; i < 5; i++) bytes.set([i, 99 - i, 7 * i], i * 3074);
    const files = { 'cifar-100-binary/train.bin': bytes, 'cifar-100-binary/test.bin': bytes.slice(0, 3074) };
    const { train, test: held } = await loadImageSet(userFiles(files));
    expect(train?.images.classes).toHaveLength(100);
    expect(Array.from(train?.images.labels ?? [], (i) => train?.images.classes[i])).toEqual([
      'worm',
      'woman',
      'wolf',
      'willow_tree',
      'whale',
    ]);
    expect(bytesOf(train!.images)[3072]).toBe(7);
    expect(held?.images.count).toBe(1);
  });

  test("the versions for Python are answered with each set's own binary one", async () => {
    for (const [path, wanted] of [
      ['cifar-100-python/train', 'cifar-100-binary.tar.gz'],
      ['cifar-10-batches-py/data_batch_1', 'cifar-10-binary.tar.gz'],
    ]) {
      await expect(loadImageSet(userFiles({ [path]: new Uint8Array(9) }))).rejects.toThrow(wanted);
    }
  });
});

function idx(dims: number[], values: number[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4 + 4 * dims.length + values.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x800 + dims.length);
  for (const [i, size] of dims.entries()) view.setUint32(4 + 4 * i, size);
  bytes.set(values, 4 + 4 * dims.length);
  return bytes;
}

describe('IDX pairs', () => {
  const images = idx([2, 2, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  const labels = idx([2], [7, 1]);
  const zipped = (bytes: Uint8Array) => gzipSync(bytes) as Uint8Array<ArrayBuffer>;

  test.each([
    ['plain', userFiles({ 'train-images-idx3-ubyte': images, 'train-labels-idx1-ubyte': labels })],
    [
      'gzip',
      userFiles({
        'm/t10k-labels-idx1-ubyte.gz': zipped(labels),
        'm/t10k-images-idx3-ubyte.gz': zipped(images),
      }),
    ],
  ])('%s: gray is repeated', async (_, files) => {
    const { test: part } = await loadImageSet(files, { use: 'test' });
    expect(part?.images).toMatchObject({ count: 2, width: 3, height: 2 });
    expect([...(part?.images.labels ?? [])]).toEqual([7, 1]);
    expect([...bytesOf(part!.images).subarray(15, 21)]).toEqual([6, 6, 6, 7, 7, 7]);
    expect(part?.images.classes).toHaveLength(10);
  });

  test("a file beside its .gz, as in torchvision's MNIST/raw, is the same file", async () => {
    const files = userFiles({
      'MNIST/raw/train-images-idx3-ubyte': images,
      'MNIST/raw/train-images-idx3-ubyte.gz': zipped(images),
      'MNIST/raw/train-labels-idx1-ubyte': labels,
      'MNIST/raw/train-labels-idx1-ubyte.gz': zipped(labels),
    });
    expect((await loadImageSet(files, { use: 'train' })).train?.images.count).toBe(2);
  });

  test.each([
    ['half a pair', { 'x-images-idx3-ubyte': images }, 'lacks'],
    ['two files of images', { 'a-idx3-ubyte': images, 'b-idx3-ubyte': idx([2, 2, 3], [9]) }, 'second'],
    ['unequal counts', { 'a-idx3-ubyte': images, 'b-idx1-ubyte': idx([1], [7]) }, '2 images'],
    ['a header that claims more', { 'a-idx3-ubyte': idx([9, 2, 3], [1]), 'b-idx1-ubyte': labels }, 'length'],
    ['damaged gzip', { 'a-idx3-ubyte.gz': zipped(images).slice(0, 20), 'b-idx1-ubyte': labels }, 'damaged'],
    ['other content', { 'a-idx3-ubyte': new Uint8Array(99), 'b-idx1-ubyte': labels }, 'not an IDX'],
  ])('%s is refused', async (_, files, reason) => {
    await expect(loadImageSet(userFiles(files))).rejects.toThrow(reason);
  });
});
