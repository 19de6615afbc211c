import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { loadImageSet } from '../../../src/data/image-set';
import { pick } from '../../../src/data/pick';
import { closeImages, imageBytes, readImages } from '../../../src/data/pixels';
import { openNodeScratch } from '../../../src/data/store/node';
import type { ScratchFile } from '../../../src/data/store/scratch';
import { openSink } from '../../../src/data/store/sink';
import type { LabelledImages, PixelFile } from '../../../src/data/types';
import { UserError } from '../../../src/errors';
import { bytesOf, pictures, userFiles } from './helpers';

let folder: string;
const before = process.env.TMPDIR;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'refocus-test-'));
  process.env.TMPDIR = folder;
});
afterAll(() => {
  if (before === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = before;
  rmSync(folder, { recursive: true });
});

describe('a scratch file of Node', () => {
  let file: ScratchFile | undefined;
  afterEach(() => file?.close());

  test('keeps what is written, and leaves nothing in its folder even while it is open', async () => {
    file = await openNodeScratch(100);
    await file.write(Uint8Array.of(1, 2, 3, 4), 0);
    await file.write(Uint8Array.of(9, 8), 6);
    expect(readdirSync(folder)).toEqual([]);
    const into = new Uint8Array(3);
    await file.read(into, 5);
    expect([...into]).toEqual([0, 9, 8]);
    expect(file.place).toBe(`a temporary file in ${folder}`);
    await expect(file.read(new Uint8Array(9), 0)).rejects.toThrow('shorter');
    await file.close();
    await file.close();
  });

  test('says where there is no room, and what helps', async () => {
    await expect(openNodeScratch(1e18)).rejects.toThrow(UserError);
    await expect(openNodeScratch(1e18)).rejects.toThrow(
      /^The decoded images need 1000000000.0 GB in .* are free: set TMPDIR/,
    );
    await expect(openNodeScratch(5e6, join(folder, 'none'))).rejects.toThrow(
      /none takes no file \(ENOENT\): set TMPDIR to a folder that takes 5 MB/,
    );
  });
});

test.each([7, 3 * 2 ** 19])('images of %i bytes come back by number out of a file', async (size) => {
  const image = (i: number) => new Uint8Array(size).fill(i + 1);
  const sink = await openSink({ name: 'set', count: 9, size, inFile: true });
  for (let i = 0; i < 5; i++) await sink.push(image(i));
  const pixels = (await sink.finish()) as PixelFile;
  expect(pixels.bytes).toBe(5 * size);
  const into = new Uint8Array(3 * size);
  await pixels.read([4, 0, 4], into);
  expect(into[0]).toBe(5);
  expect(into[size]).toBe(1);
  expect(into[2 * size - 1]).toBe(1);
  expect(into[3 * size - 1]).toBe(5);
  await pixels.close();
});

test('an array that no browser gives is refused with what helps', async () => {
  await expect(openSink({ name: 'big.zip', count: 30_000, size: 3 * 224 * 224 })).rejects.toThrow(
    'big.zip: 30000 images need 4.5 GB, above the limit of 2 GB in memory',
  );
});

describe('a set of more bytes than are held in memory', () => {
  const files = userFiles(pictures('set/cat*5', 'set/dog*6'));
  const allOf = async (set: LabelledImages) => {
    const into = new Uint8Array(set.count * imageBytes(set));
    await readImages(set, [...Array(set.count).keys()], into);
    return into;
  };

  test('is kept in a file, with the same bytes on the same side', async () => {
    const held = await loadImageSet(files);
    const kept = await loadImageSet(files, { memoryBytes: 10 * 48 });
    for (const part of ['train', 'test'] as const) {
      const set = kept[part]!.images;
      expect(set.pixels).not.toBeInstanceOf(Uint8Array);
      expect(await allOf(set)).toEqual(bytesOf(held[part]!.images));
      expect([...set.labels]).toEqual([...held[part]!.images.labels]);
      const few = pick(set, [1, 0]);
      expect(await allOf(few)).toEqual(bytesOf(pick(held[part]!.images, [1, 0])));
    }
    expect(kept.report.kept).toEqual({ bytes: 11 * 48, place: `a temporary file in ${folder}` });
    expect(kept.report.notes).toContain(
      `Decoded, the images take 1 MB and are kept in a temporary file in ${folder}.`,
    );
    expect(held.report.kept).toEqual({ bytes: 11 * 48, place: 'memory' });
    expect(held.report.notes.join()).not.toContain('kept in');
    await closeImages(kept.train!.images, kept.test!.images);
    await expect(allOf(kept.train!.images)).rejects.toThrow();
  });

  test('stays in memory as long as it fits', async () => {
    const { train } = await loadImageSet(files, { memoryBytes: 11 * 48 });
    expect(train!.images.pixels).toBeInstanceOf(Uint8Array);
  });
});
