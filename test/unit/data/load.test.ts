import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { loadImages } from '../../../src/data/load';
import { UserError } from '../../../src/errors';
import expected from '../../fixtures/images/expected.json';
import { fixture, userFile, userFiles } from './helpers';

const jpg = fixture('plain.jpg');
const png = fixture('rgb.png');
const text = new TextEncoder().encode('text');
const zipped = (files: Record<string, Uint8Array>) => zipSync(files) as Uint8Array<ArrayBuffer>;
const zip = (files: Record<string, Uint8Array>) => [userFile('set.zip', zipped(files))];
const rgb = (name: 'plain.jpg' | 'rgb.png') => Buffer.from(expected.decoded[name], 'base64');

/** The message of the UserError that loading these files ends with. */
async function refusal(...args: Parameters<typeof loadImages>): Promise<string> {
  const error = await loadImages(...args).then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(UserError);
  return error.message;
}

describe('a folder for each class', () => {
  const files = {
    'set/dog/2.png': png,
    'set/cat/1.jpg': jpg,
    'set/dog/1.jpg': jpg,
    'set/.DS_Store': text,
    'set/dog/notes.txt': text,
    '__MACOSX/set/dog/._1.jpg': text,
  };

  test.each([
    ['folder', userFiles(files)],
    ['zip', zip(files)],
    [
      'zip with backslashes and odd paths',
      zip({ '../a\\dog\\2.png': png, '/a/cat/1.jpg': jpg, 'a/./dog/1.jpg': jpg }),
    ],
  ])('%s: classes in alphabetical order, images by path', async (_, source) => {
    const images = await loadImages(source);
    expect(images).toMatchObject({ count: 3, width: 21, height: 13, classes: ['cat', 'dog'], skipped: [] });
    expect([...images.labels]).toEqual([0, 1, 1]);
    expect(Buffer.from(images.pixels)).toEqual(
      Buffer.concat([rgb('plain.jpg'), rgb('plain.jpg'), rgb('rgb.png')]),
    );
  });

  test('classes may lie at any depth; images above them belong to none', async () => {
    const images = await loadImages(
      zip({ 'x/a/zebra/1.jpg': jpg, 'x/b/ant/1.png': png, 'x/overview.png': png }),
    );
    expect(images.classes).toEqual(['ant', 'zebra']);
    expect(Buffer.from(images.pixels)).toEqual(Buffer.concat([rgb('rgb.png'), rgb('plain.jpg')]));
    expect(images.skipped).toEqual([{ path: 'x/overview.png', reason: 'it lies outside the class folders' }]);
  });

  test('broken images are skipped with a reason, and no gap is left', async () => {
    const images = await loadImages(
      zip({ 'a/1.jpg': text, 'a/2.jpg': jpg, 'b/1.png': png.slice(0, -30), 'b/2.png': png }),
    );
    expect(images.skipped.map(({ path }) => path)).toEqual(['a/1.jpg', 'b/1.png']);
    expect(images.skipped[0].reason).toContain('no image that is read');
    expect(Buffer.from(images.pixels)).toEqual(Buffer.concat([rgb('plain.jpg'), rgb('rgb.png')]));
  });

  test('a size asked for gives squares, unequal images a multiple of 32', async () => {
    expect(await loadImages(userFiles(files), { size: 10 })).toMatchObject({ width: 10, height: 10 });
    const wide = png.slice();
    const mixed = { 'a/1.png': wide, 'b/1.png': fixture('rgb.png'), 'b/2.jpg': smallerJpeg() };
    expect(await loadImages(userFiles(mixed))).toMatchObject({ width: 32, height: 32, count: 3 });
  });

  test('a limit is even over the classes and repeats with the seed', async () => {
    const many = Object.fromEntries(
      ['a', 'b'].flatMap((label) =>
        Array.from({ length: 8 }, (_, i) => [`${label}/${i}.png`, i % 2 ? png : jpg]),
      ),
    );
    const pick = async (seed: number) => loadImages(userFiles(many), { limit: 6, seed });
    const first = await pick(1);
    expect([...first.labels]).toEqual([0, 0, 0, 1, 1, 1]);
    expect(await pick(1)).toEqual(first);
    const others = await Promise.all([2, 3, 4].map(pick));
    expect(others.some((other) => !Buffer.from(other.pixels).equals(Buffer.from(first.pixels)))).toBe(true);
  });

  test('reports progress and stops when told', async () => {
    const seen: number[] = [];
    await loadImages(userFiles(files), { onProgress: ({ done }) => seen.push(done) });
    expect(seen).toEqual([0, 3]);
    const controller = new AbortController();
    const stopped = loadImages(userFiles(files), {
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expect(stopped).rejects.toThrow('abort');
  });
});

/** plain.jpg with a header that says one row less: still a valid file. */
function smallerJpeg(): Uint8Array<ArrayBuffer> {
  const bytes = jpg.slice();
  const frame = bytes.findIndex((byte, i) => byte === 0xff && bytes[i + 1] === 0xc0);
  bytes[frame + 6] -= 1;
  return bytes;
}

describe('a source that cannot be used says why', () => {
  const two = { 'a/1.jpg': jpg, 'b/1.jpg': jpg };
  const manyFiles = Object.fromEntries(
    Array.from({ length: 20_000 }, (_, i) => [`a/${i}.txt`, new Uint8Array(0)]),
  );
  test.each([
    ['nothing', [], 'no files'],
    ['an empty zip', zip({}), 'holds no file'],
    ['a zip of text', zip({ 'a/notes.txt': text }), 'holds no image'],
    ['one class', zip({ 'a/1.jpg': jpg, 'a/2.jpg': jpg }), 'one class only'],
    ['images without folders', zip({ '1.jpg': jpg, '2.jpg': jpg }), 'one class only'],
    ['a zip of zips', zip({ 'a/1.zip': zipped(two), 'b/1.zip': zipped(two) }), 'holds no image'],
    ['a zip of very many files', zip(manyFiles), 'holds no image'],
    ['a folder with one image', [userFile('set/a/1.jpg', jpg)], 'set has one class only'],
    ['an empty class folder', zip({ ...two, 'c/': new Uint8Array(0) }), "Class 'c'"],
    ['a class of text', userFiles({ ...two, 'c/notes.txt': text }), "Class 'c'"],
    ['a class of broken images', zip({ ...two, 'c/1.jpg': text }), "Class 'c'"],
    ['broken images only', zip({ 'a/1.jpg': text, 'b/1.jpg': text }), 'None of the images'],
    [
      'training and test images in one',
      zip({ 'train/a/1.jpg': jpg, 'test/a/1.jpg': jpg }),
      "class 'a' twice",
    ],
    ['a cut-off zip', [userFile('set.zip', zipped(two).slice(0, -9))], 'cut off'],
  ])('%s', async (_, source, reason) => {
    expect(await refusal(source)).toContain(reason);
  });

  test('an encrypted zip', async () => {
    const bytes = zipped(two);
    const view = new DataView(bytes.buffer);
    for (let at = 0; at + 4 < bytes.length; at++)
      if (view.getUint32(at, true) === 0x02014b50) bytes[at + 8] |= 1;
    expect(await refusal([userFile('set.zip', bytes)])).toContain('encrypted');
  });

  test.each([
    ['claims too much', 70e6, 'above the limit of 64 MiB'],
    ['claims too little', 1000, 'more than the 1000 bytes'],
  ])('a zip bomb that %s', async (_, claim, reason) => {
    const bomb = zipped({ 'a/1.jpg': new Uint8Array(1e6), 'b/1.jpg': text });
    const view = new DataView(bomb.buffer, bomb.byteOffset);
    const entry = bomb.findIndex((_, at) => at + 4 < bomb.length && view.getUint32(at, true) === 0x02014b50);
    view.setUint32(entry + 24, claim, true);
    expect(await refusal([userFile('bomb.zip', bomb)])).toContain(reason);
  });

  test('a zip whose entries claim more than the memory', async () => {
    const bytes = zipSync(Object.fromEntries(Array.from({ length: 3 }, (_, i) => [`a/${i}.jpg`, jpg])), {
      level: 0,
    });
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    for (let at = 0; at + 4 < bytes.length; at++) {
      if (view.getUint32(at, true) !== 0x02014b50) continue;
      view.setUint16(at + 10, 8, true);
      view.setUint32(at + 24, 2_000_000_000, true);
    }
    expect(await refusal([userFile('bomb.zip', bytes as Uint8Array<ArrayBuffer>)])).toContain('4 GiB');
  });

  test('other classes than those of training, options out of range', async () => {
    expect(await refusal(zip(two), { classes: ['a', 'c'] })).toMatch(/lacks 'c' and has 'b' besides/);
    expect(await refusal(zip(two), { size: 1e6 })).toContain('image size');
    expect(await refusal(zip(two), { limit: -1 })).toContain('limit');
  });
});
