import { describe, expect, test } from 'vitest';
import { type Feed, openFeed } from '../../../src/data/feed';
import { copyImages, imageBytes } from '../../../src/data/pixels';
import { Random } from '../../../src/data/random';
import type { ImagesInMemory, LabelledImages, PixelFile } from '../../../src/data/types';

function images(count: number, width = 1): ImagesInMemory {
  return {
    pixels: Uint8Array.from({ length: count * width * 3 }, (_, i) => (i * 7 + 1) % 256),
    labels: Uint16Array.from({ length: count }, (_, i) => 300 + i),
    count,
    height: 1,
    width,
    classes: [],
  };
}

/** The same set as if it lay in a file, whose reads take a turn of the event loop. */
function inFile(set: ImagesInMemory): LabelledImages {
  const file: PixelFile = {
    bytes: set.pixels.length,
    place: 'a test',
    async read(numbers, into) {
      await new Promise((resolve) => setTimeout(resolve));
      copyImages(set.pixels, imageBytes(set), numbers, into);
    },
    async close() {},
  };
  return { ...set, pixels: file };
}

async function feedOf(set: LabelledImages, held = set.count) {
  const written: [key: string, data: Uint8Array | Uint32Array, offset?: number][] = [];
  const feed: Feed = await openFeed(
    { write: (key, data, offset) => written.push([key, (data as Uint8Array).slice(), offset]) },
    'train',
    set,
    held,
  );
  return { feed, written };
}

describe('a set that the GPU holds', () => {
  test('is uploaded once, in whole words', async () => {
    const { feed, written } = await feedOf(images(3));
    expect(feed.count).toBe(3);
    expect(written).toEqual([
      ['input:train labels', Uint32Array.of(300, 301, 302), undefined],
      ['input:train images', Uint8Array.of(1, 8, 15, 22, 29, 36, 43, 50, 57, 0, 0, 0), undefined],
    ]);
  });

  test('writes a pass’s order alone', async () => {
    const { feed, written } = await feedOf(images(4));
    const order = Uint32Array.of(2, 0, 3, 1);
    feed.begin(order);
    expect(written.slice(2)).toEqual([['input:train order', order, undefined]]);
    await feed.ready(2, 2);
    expect(written).toHaveLength(3);
  });

  test('comes out of a file in pieces', async () => {
    const set = images(200);
    const { written } = await feedOf(inFile(set));
    const gpu = new Uint8Array(600);
    for (const [key, data, offset] of written) if (key === 'input:train images') gpu.set(data, offset);
    expect(gpu).toEqual(set.pixels);
    expect(written.length).toBeGreaterThan(3);
  });
});

/** A ring on a GPU that does in order what it is told: a run takes its images as they lie when it is called. */
async function ringOf(set: LabelledImages, capacity: number) {
  const size = imageBytes(set);
  const gpu = new Uint8Array(Math.ceil((capacity * size) / 4) * 4);
  let order = new Uint32Array();
  const feed = await openFeed(
    {
      write(key, data, offset = 0) {
        if (key.endsWith('order')) order = (data as Uint32Array<ArrayBuffer>).slice();
        if (!key.endsWith('images')) return;
        expect([offset % 4, data.byteLength % 4]).toEqual([0, 0]);
        gpu.set(data as Uint8Array, offset);
      },
    },
    'train',
    set,
    capacity,
  );
  return {
    feed,
    /** the bytes of the images that a run finds from that position on */
    run: (first: number, rows: number) =>
      Array.from({ length: rows }, (_, i) => {
        const at = ((first + i) % capacity) * size;
        return [order[first + i], ...gpu.subarray(at, at + size)];
      }),
  };
}

/** The same by the set itself. */
const wanted = (set: ImagesInMemory, order: ArrayLike<number>, first: number, rows: number) =>
  Array.from({ length: rows }, (_, i) => {
    const image = order[first + i];
    return [image, ...set.pixels.subarray(image * imageBytes(set), (image + 1) * imageBytes(set))];
  });

describe('a set that is streamed', () => {
  const set = images(23, 3);
  const stores = [
    ['memory', set],
    ['a file', inFile(set)],
  ] as const;

  test.each(stores)('gives each run its images, from %s', async (_, stored) => {
    const { feed, run } = await ringOf(stored, 8);
    for (let epoch = 0; epoch < 3; epoch++) {
      const order = Uint32Array.from(new Random(epoch).shuffle(Array.from({ length: 23 }, (_, i) => i)));
      feed.begin(order);
      for (let first = 0; first < 23; first += 4) {
        // a last batch may take images of the one before it along
        const rows = Math.min(4, 23 - first);
        const from = rows === 3 ? 19 : first;
        await feed.ready(from, rows);
        // what is read ahead may come before a run or after it
        if (first % 8 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
        expect(run(from, rows)).toEqual(wanted(set, order, from, rows));
      }
    }
  });

  test.each(stores)(
    'begins anywhere, goes back, and takes any order and any batches, from %s',
    async (_, stored) => {
      const random = new Random(3);
      for (let pass = 0; pass < 12; pass++) {
        const most = 1 + random.index(6);
        const { feed, run } = await ringOf(stored, most + random.index(most + 2));
        const order = Uint32Array.from({ length: 40 }, () => random.index(23));
        feed.begin(order);
        for (let i = 0; i < 12; i++) {
          // left in the middle while the next batch is on its way
          if (i === 6) feed.begin(order.reverse());
          const rows = 1 + random.index(most);
          const first = random.index(40 - rows + 1);
          await feed.ready(first, rows);
          expect(run(first, rows)).toEqual(wanted(set, order, first, rows));
        }
      }
    },
  );

  test('reads again what the ring has given up', async () => {
    const { feed, run } = await ringOf(set, 8);
    const order = Uint32Array.from({ length: 23 }, (_, i) => i);
    feed.begin(order);
    for (const first of [0, 4, 8, 12, 4, 0]) {
      await feed.ready(first, 4);
      expect(run(first, 4)).toEqual(wanted(set, order, first, 4));
    }
  });

  test('is read ahead: the next batch is there before it is asked for', async () => {
    const { feed, run } = await ringOf(inFile(set), 8);
    const order = Uint32Array.from({ length: 23 }, (_, i) => 22 - i);
    feed.begin(order);
    await feed.ready(0, 4);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(run(0, 8)).toEqual(wanted(set, order, 0, 8));
  });

  test('tells of a file that cannot be read when its images are needed', async () => {
    const file = inFile(set).pixels as PixelFile;
    const broken = { ...file, read: async () => Promise.reject(new Error('the disk is gone')) };
    const { feed } = await ringOf({ ...set, pixels: broken }, 8);
    feed.begin(Uint32Array.from({ length: 23 }, (_, i) => i));
    await expect(feed.ready(0, 4)).rejects.toThrow('the disk is gone');
  });
});
