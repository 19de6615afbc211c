import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/errors';
import { createModel } from '../../../src/model/zoo';
import { checkClasses, loadRunImages, loadTestImages, trainingSize } from '../../../src/run/data-source';
import { Memo } from '../../../src/run/memo';
import { defaultSettings } from '../../../src/train/settings';
import { bytesOf, picture, pictures, userFiles } from '../data/helpers';

const settings = defaultSettings();
const files = (...paths: string[]) => ({ kind: 'files' as const, files: userFiles(pictures(...paths)) });

describe('the images of a run', () => {
  test('one source trains and tests', async () => {
    const train = files('set/train/a*3', 'set/train/b*3', 'set/valid/a*1', 'set/valid/b*2');
    const images = await loadRunImages({ train }, settings, {});
    expect([images.train.count, images.test.count]).toEqual([6, 3]);
    expect(images.reports.map(({ source }) => source)).toEqual(['set']);
  });

  test('without parts, a fraction of it is held out', async () => {
    const { train, test } = await loadRunImages(
      { train: files('set/a*10', 'set/b*10') },
      { ...settings, val: 0.3 },
      {},
    );
    expect([train.count, test.count]).toEqual([14, 6]);
  });

  test('a second source tests: by the names, and at the size, of the first', async () => {
    const sources = {
      train: files('train/b*2', 'train/a*2'),
      test: files('held/test/b*1', 'held/test/c*1', 'held/train/b*5'),
    };
    sources.train.files.push(...userFiles({ 'train/a/x.ppm': picture(5) }));
    sources.test.files.push(...userFiles({ 'held/test/b/x.ppm': picture(5) }));
    const { train, test, reports } = await loadRunImages(sources, settings, {});
    expect(train).toMatchObject({ count: 5, width: 4, height: 4, classes: ['a', 'b'] });
    expect(test).toMatchObject({ count: 2, width: 4, height: 4, classes: ['a', 'b'] });
    expect([...test.labels]).toEqual([1, 1]);
    expect(reports).toHaveLength(2);
    const warnings = reports[1].warnings.join('\n');
    expect(warnings).toContain("class 'c' is not among the training images' classes");
    expect(warnings).toContain('1 test image is among the training images');
    expect(warnings).toContain('one of the two labels is wrong');
  });

  test('the built-in set is generated once for all runs, and needs no report', async () => {
    const memo = new Memo();
    const train = { kind: 'builtin' as const, split: 'train' as const };
    const few = { ...settings, limit: 20 };
    const first = await loadRunImages({ train }, few, { memo });
    expect(first).toMatchObject({ train: { count: 20 }, test: { count: 20 }, reports: [] });
    const again = await loadRunImages({ train, test: { kind: 'builtin', split: 'test' } }, few, { memo });
    expect(again.train).toBe(first.train);
    expect(again.test).toBe(first.test);
    expect(first.test.pixels).not.toEqual(first.train.pixels);
  });
});

describe('to choose settings by, a run is tested on training images', () => {
  const validating = { ...settings, validate: true, val: 0.25 };
  const pathsOf = ({ paths = [] }: { paths?: readonly string[] }) => [...paths].sort();

  test('that are held out of those of the training part alone', async () => {
    const train = files('set/train/a*8', 'set/train/b*4', 'set/test/a*3', 'set/test/b*3');
    const images = await loadRunImages({ train }, validating, {});
    expect([images.train.count, images.test.count]).toEqual([9, 3]);
    const seen = [...pathsOf(images.train), ...pathsOf(images.test)];
    expect(new Set(seen).size).toBe(12);
    expect(seen.filter((path) => path.includes('/test/'))).toEqual([]);
    expect(images.reports[0].notes.join()).toContain('3 of the 12 training images test this run');
  });

  test('the images that are held out to test stay out of both', async () => {
    const train = files('set/a*12', 'set/b*12');
    const usual = await loadRunImages({ train }, { ...validating, validate: false }, {});
    const images = await loadRunImages({ train }, validating, {});
    expect([...pathsOf(images.train), ...pathsOf(images.test)].sort()).toEqual(pathsOf(usual.train));
  });

  test('however many are held out to validate, those that test are the same', async () => {
    const train = files('set/a*20', 'set/b*20');
    const usual = await loadRunImages({ train }, { ...settings, val: 0.3 }, {});
    for (const [validationShare, held] of [
      [0.1, 2],
      [0.5, 14],
    ]) {
      const choosing = { ...settings, val: 0.3, validate: true, validationShare };
      const images = await loadRunImages({ train }, choosing, {});
      expect([...pathsOf(images.train), ...pathsOf(images.test)].sort()).toEqual(pathsOf(usual.train));
      expect(images.test.count).toBe(held);
      expect(images.trainable).toBe(usual.train.count);
    }
  });

  test('built-in ones too', async () => {
    const train = { kind: 'builtin' as const, split: 'train' as const };
    const test = { kind: 'builtin' as const, split: 'test' as const };
    const few = { ...validating, limit: 40 };
    const usual = await loadRunImages({ train, test }, { ...few, validate: false }, {});
    const images = await loadRunImages({ train, test }, few, {});
    expect([images.train.count, images.test.count]).toEqual([30, 10]);
    const pixelsOf = ({ pixels }: { pixels: unknown }) =>
      Array.from({ length: (pixels as Uint8Array).length / 3072 }, (_, i) =>
        String((pixels as Uint8Array).subarray(i * 3072, (i + 1) * 3072)),
      );
    expect([...pixelsOf(images.train), ...pixelsOf(images.test)].sort()).toEqual(
      pixelsOf(usual.train).sort(),
    );
  });
});

test('images are chosen by a seed of their own where there is one', async () => {
  const train = files('set/a*12', 'set/b*12');
  const chosen = async (seeds: { seed: number; imageSeed?: number }) =>
    (await loadRunImages({ train }, { ...settings, ...seeds }, {})).test.paths;
  expect(await chosen({ seed: 3, imageSeed: 1 })).toEqual(await chosen({ seed: 1 }));
  expect(await chosen({ seed: 3 })).not.toEqual(await chosen({ seed: 1 }));
});

test('what a network is tested on is the test part, else all', async () => {
  const parts = await loadTestImages(
    files('s/train/a*3', 's/train/b*3', 's/test/a*1', 's/test/b*1'),
    settings,
  );
  expect(parts.images.count).toBe(2);
  expect((await loadTestImages(files('s/a*3', 's/b*3'), settings)).images.count).toBe(6);
});

test('of the built-in images those of the network’s classes, labelled by its order', async () => {
  const source = { kind: 'builtin' as const, split: 'test' as const };
  const all = (await loadTestImages(source, { ...settings, limit: 30 })).images;
  const [first, second, third] = all.classes;
  const { images } = await loadTestImages(source, { ...settings, limit: 30 }, [third, 'none', first]);
  expect(images.classes).toEqual([third, 'none', first]);
  const names = (set: typeof all) => [...set.labels].map((label) => set.classes[label]);
  expect(names(images)).toEqual(names(all).filter((name) => name === first || name === third));
  const size = all.height * all.width * 3;
  expect(bytesOf(images).subarray(0, size)).toEqual(bytesOf(all).subarray(0, size));
  // in its own order it is not copied
  const { images: same } = await loadTestImages(source, { ...settings, limit: 30 }, all.classes);
  expect(same.labels).toEqual(all.labels);
  const swapped = [second, first, ...all.classes.slice(2)];
  expect([...(await loadTestImages(source, { ...settings, limit: 3 }, swapped)).images.labels]).toEqual([
    1, 0, 2,
  ]);
  await expect(loadTestImages(source, settings, ['dog'])).rejects.toThrow(UserError);
});

test('the size that a run would train with', async () => {
  expect(await trainingSize(files('s/a*3', 's/b*1'), settings, 2)).toEqual({
    width: 4,
    height: 4,
    top: 0,
    left: 0,
    count: 4,
  });
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
  const count = async (split: 'train' | 'test', limit: number) =>
    (await loadTestImages({ kind: 'builtin', split }, { ...settings, limit })).images.count;
  expect(await count('train', 30)).toBe(30);
  expect(await count('test', 7)).toBe(7);
  expect(await count('test', 0)).toBe(await count('test', 1e9));
});

test('each built-in set has its own images and as many as it has', async () => {
  const of = (set: 'builtin' | 'builtin-camera', limit = 0) =>
    loadTestImages({ kind: 'builtin', split: 'test', set }, { ...settings, limit });
  expect((await of('builtin-camera')).images.count).toBe(1000);
  const [own, other] = await Promise.all([of('builtin', 20), of('builtin-camera', 20)]);
  expect(own.images.labels).toEqual(other.images.labels);
  expect(own.images.pixels).not.toEqual(other.images.pixels);
  // one memo for both
  const memo = new Memo();
  const load = (set: 'builtin' | 'builtin-camera') =>
    loadRunImages({ train: { kind: 'builtin', split: 'train', set } }, { ...settings, limit: 20 }, { memo });
  expect((await load('builtin')).train.pixels).not.toEqual((await load('builtin-camera')).train.pixels);
});

test('built-in images by the classes of a network: its order, and those alone', async () => {
  const source = { kind: 'builtin', split: 'test' } as const;
  const few = { ...settings, limit: 20 };
  const { images: all } = await loadTestImages(source, few);
  const { images } = await loadTestImages(source, few, ['ring', all.classes[0]]);
  const names = [...all.labels].map((label) => all.classes[label]);
  const wanted = names.filter((name) => name === 'ring' || name === all.classes[0]);
  expect([...images.labels].map((label) => images.classes[label])).toEqual(wanted);
  expect(images.classes).toEqual(['ring', all.classes[0]]);
  await expect(loadTestImages(source, few, ['x', 'y'])).rejects.toThrow(/none of the network's classes/);
});
