import { describe, expect, test } from 'vitest';
import { loadImageSet } from '../../../src/data/image-set';
import { surveyImages } from '../../../src/data/survey';
import { thumbnailsOf } from '../../../src/data/thumbnails';
import type { LoadOptions } from '../../../src/data/types';
import { pictures, text, userFiles, zip } from './helpers';

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
  const found = await thumbnailsOf(files, ['a/1.ppm', 'a/broken.jpg', 'a/9.ppm', 'a/0.ppm'], 8);
  expect(found.map(({ image, pixels }) => [image, pixels.length])).toEqual([
    ['a/1.ppm', 192],
    ['a/0.ppm', 192],
  ]);
});
