import { describe, expect, test } from 'vitest';
import { imagesOfClass } from '../../../src/data/class-images';
import { loadImageSet } from '../../../src/data/image-set';
import { surveyImages } from '../../../src/data/survey';
import { thumbnailsOf } from '../../../src/data/thumbnails';
import type { LoadOptions } from '../../../src/data/types';
import { fixture, picture, pictures, text, userFiles, zip } from './helpers';

describe('a survey', () => {
  test('counts as loading does, and shows some images of each class', async () => {
    const files = zip(pictures('cat*10', 'dog*7', 'owl*5'));
    const survey = await surveyImages(files, { use: 'both', seed: 3 });
    const { report } = await loadImageSet(files, { use: 'both', seed: 3 });
    expect(survey.source).toBe('set.zip');
    expect(survey.classes).toEqual(['cat', 'dog', 'owl']);
    expect(survey.parts).toEqual(report.parts);
    expect(survey.parts[1]).toMatchObject({ use: 'test', from: 'held', perClass: [2, 1, 1] });
    expect(survey.thumbnails.map((shown) => shown.length)).toEqual([4, 4, 4]);
    const [first] = survey.thumbnails[1];
    expect(first.image).toBe('dog/0.ppm');
    expect(first.pixels).toHaveLength(3 * first.side ** 2);
  });

  test('takes the parts of a set as loading does', async () => {
    const files = userFiles(pictures('train/a*3', 'train/b*2', 'val/a*1', 'val/b*2', 'test/a*1'));
    const survey = await surveyImages(files, { use: 'both' });
    const { report } = await loadImageSet(files, { use: 'both' });
    expect(survey.parts).toEqual(report.parts);
    expect(survey.parts.map(({ from }) => from)).toEqual(['train', 'val']);
  });

  test('names what will be left out', async () => {
    const files = userFiles({
      ...pictures('a*3', 'b*3'),
      'b/broken.jpg': text('no image'),
      'b/photo.heic': text('\0\0\0\u0018ftypheic\0\0\0\0mif1'),
    });
    const { parts, skipped, thumbnails } = await surveyImages(files, {});
    const loaded = await loadImageSet(files, {});
    expect(skipped.map(({ path }) => path).sort()).toEqual(['b/broken.jpg', 'b/photo.heic']);
    expect(skipped).toEqual(loaded.report.skipped);
    expect(parts).toEqual(loaded.report.parts);
    expect(thumbnails[1]).toHaveLength(3);
  });

  test('names images that EXIF data would turn, and files that are the same', async () => {
    const [turned, one, two] = [fixture('turned.jpg'), picture(7), picture(8)];
    const files = userFiles({
      'a/1.jpg': turned,
      'a/2.ppm': one,
      'a/3.ppm': one,
      'a/4.ppm': two,
      'b/1.ppm': two,
      'b/2.ppm': picture(9),
    });
    const { rotated, equal } = await surveyImages(files, {});
    expect(rotated).toEqual(['a/1.jpg']);
    expect(equal).toEqual([
      { images: ['a/4.ppm', 'b/1.ppm'], classes: ['a', 'b'] },
      { images: ['a/2.ppm', 'a/3.ppm'], classes: ['a'] },
    ]);
  });

  test('says how many images no part takes', async () => {
    const files = userFiles(pictures('train/a*2', 'train/b*2', 'val/a*1', 'val/b*1', 'test/a*3'));
    expect((await surveyImages(files, {})).unused).toEqual([{ part: 'test', images: 3 }]);
  });

  test('says how the classes are ordered, with a hint where they are numbers', async () => {
    const notes = async (options: LoadOptions) =>
      (await surveyImages(userFiles({ ...pictures('1*3', '2*3', '10*3'), '1/._0.jpg': text('') }), options))
        .notes;
    expect(await notes({})).toEqual([
      "3 classes by name, as torchvision's ImageFolder.",
      expect.stringMatching(/^Class names are numbers .* \(1, 10, 2, \.\.\.\)/),
      '1 system or hidden file was passed over.',
    ]);
    expect((await notes({ classOrder: 'natural' }))[0]).toBe('3 classes natural, as timm.');
  });

  test('refuses what cannot be trained on, as loading does', async () => {
    const files = userFiles(pictures('only*3'));
    const loading = await loadImageSet(files, {}).catch((error: Error) => error);
    await expect(surveyImages(files, {})).rejects.toThrow((loading as Error).message);
  });
});

test('thumbnails are of the images that are there, in the order of their names', async () => {
  const files = zip({ ...pictures('a*2'), 'a/broken.jpg': text('x') });
  const names = ['a/1.ppm', 'a/broken.jpg', 'a/9.ppm', 'a/0.ppm'];
  const found = await thumbnailsOf(files, names, { side: 8 });
  expect(found.map(({ image, pixels }) => [image, pixels.length])).toEqual([
    ['a/1.ppm', 192],
    ['a/0.ppm', 192],
  ]);
});

test('a thumbnail may be of the whole image, or turned as EXIF data asks', async () => {
  const files = userFiles({ 'a/turned.jpg': fixture('turned.jpg'), 'a/rgb.png': fixture('rgb.png') });
  const of = async (path: string, options: object) =>
    (await thumbnailsOf(files, [path], { side: 21, ...options }))[0].pixels;
  const whole = await of('a/rgb.png', { whole: true });
  // 21 x 13: four black rows above
  expect(whole.subarray(0, 4 * 63).every((value) => value === 0)).toBe(true);
  expect(whole.subarray(4 * 63, 5 * 63).some((value) => value > 0)).toBe(true);
  expect(await of('a/turned.jpg', { upright: true })).not.toEqual(await of('a/turned.jpg', {}));
});

test('the images of a class are listed by part, and without those that the limit leaves out', async () => {
  const files = userFiles(pictures('train/a*3', 'train/b*2', 'val/a*1', 'val/b*2'));
  expect(await imagesOfClass(files, {}, 'a')).toEqual({
    train: ['train/a/0.ppm', 'train/a/1.ppm', 'train/a/2.ppm'],
    test: ['val/a/0.ppm'],
  });
  const { train } = await imagesOfClass(files, { limit: 2, rename: { a: 'z' } }, 'z');
  expect(train).toHaveLength(1);
  expect((await imagesOfClass(zip(pictures('a*2', 'b*2')), { use: 'train' }, 'b')).train).toEqual([
    'b/0.ppm',
    'b/1.ppm',
  ]);
});
