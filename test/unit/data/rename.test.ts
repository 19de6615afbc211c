import { describe, expect, test } from 'vitest';
import { loadImageSet } from '../../../src/data/image-set';
import { surveyImages } from '../../../src/data/survey';
import type { LoadOptions } from '../../../src/data/types';
import { pictures, text, userFiles } from './helpers';

const files = userFiles(pictures('set/cat*2', 'set/dog*1', 'set/junk*3', 'set/owl*1'));

/** The class of each image, by its path. */
async function labels(rename: LoadOptions['rename'], from = files): Promise<Record<string, string>> {
  const { images } = (await loadImageSet(from, { use: 'train', rename })).train!;
  return Object.fromEntries(images.paths!.map((path, i) => [path, images.classes[images.labels[i]]]));
}

describe('classes under new names', () => {
  test('are one where they get the same name, and are left out without one', async () => {
    expect(await labels({ cat: 'pet', dog: 'pet', junk: '' })).toEqual({
      'set/cat/0.ppm': 'pet',
      'set/cat/1.ppm': 'pet',
      'set/dog/0.ppm': 'pet',
      'set/owl/0.ppm': 'owl',
    });
  });

  test('may be the names of others: two classes change theirs', async () => {
    const found = await labels({ cat: 'dog', dog: 'cat' });
    expect(found['set/cat/0.ppm']).toBe('dog');
    expect(found['set/dog/0.ppm']).toBe('cat');
    expect((await labels({ cat: 'dog' }))['set/dog/0.ppm'], 'a name that is there already takes it in').toBe(
      'dog',
    );
  });

  test('are told, with the names that they had', async () => {
    const rename = { cat: 'pet', dog: 'pet', junk: '', owl: 'bird' };
    const found = await surveyImages(files, { rename });
    expect(found.classes).toEqual(['bird', 'pet']);
    expect(found.originals).toEqual(['cat', 'dog', 'junk', 'owl']);
    expect(found.notes.slice(1)).toEqual([
      "Classes 'cat', 'dog' are one, 'pet'.",
      "Renamed: 'owl' to 'bird'.",
      "Left out: 'junk', 3 images.",
    ]);
    expect(found.skipped, 'a choice is no fault of a file').toEqual([]);
  });

  test('are those of the test images too, which need not have all of them', async () => {
    const [train, test] = [['cat*1', 'dog*1', 'owl*1'], ['dog*2']].map((names) =>
      userFiles(pictures(...names.map((name) => `set/${name}`))),
    );
    const rename = { cat: 'pet', dog: 'pet' };
    const { classes } = (await loadImageSet(train, { use: 'train', rename })).train!.images;
    const { images } = (await loadImageSet(test, { use: 'test', rename, classes })).test!;
    expect([...images.labels]).toEqual([1, 1]);
    expect(images.classes).toEqual(['owl', 'pet']);
  });

  test('may be written with their accents apart', async () => {
    const set = userFiles(pictures('set/caf\u0065\u0301*1', 'set/tea*1'));
    expect(Object.values(await labels({ 'caf\u00e9': 'coffee' }, set)).sort()).toEqual(['coffee', 'tea']);
  });

  test('take empty folders with them, unless a class stays empty', async () => {
    const set = [...files, ...userFiles({ 'set/none/': text('') })];
    expect((await labels({ none: '' }, set))['set/owl/0.ppm']).toBe('owl');
    expect((await labels({ none: 'owl' }, set))['set/owl/0.ppm']).toBe('owl');
    await expect(labels({ none: 'nothing' }, set)).rejects.toThrow("Class 'nothing' of set has no image");
  });

  test('must be there, and two must be left', async () => {
    await expect(labels({ cta: 'pet' })).rejects.toThrow(
      "set has no class 'cta' to rename; its classes are 'cat', 'dog', 'junk', 'owl'.",
    );
    await expect(labels({ cat: '', dog: '', junk: '', owl: '' })).rejects.toThrow('are left out');
    await expect(labels({ cat: 'x', dog: 'x', junk: 'x', owl: 'x' })).rejects.toThrow("one class only ('x')");
  });
});
