import { describe, expect, test } from 'vitest';
import { type ImageSet, loadImageSet } from '../../../src/data/image-set';
import { isWanted } from '../../../src/data/layout/names';
import { croppedImages } from '../../../src/data/pixels';
import { skippedCsv } from '../../../src/data/report';
import type { LabelledImages, LoadOptions, UserFile } from '../../../src/data/types';
import { UserError } from '../../../src/errors';
import expected from '../../fixtures/images/expected.json';
import imageFolder from '../../fixtures/images/image-folder.json';
import { bytesOf, fixture, picture, pictures, text, userFile, userFiles, zip } from './helpers';

const jpg = fixture('plain.jpg');
const png = fixture('rgb.png');
const rgb = (name: 'plain.jpg' | 'rgb.png') => Buffer.from(expected.decoded[name], 'base64');

/** All images of a source, for training. */
async function load(
  files: UserFile[],
  options: LoadOptions = {},
): Promise<LabelledImages & Pick<ImageSet, 'report'>> {
  const { train, report } = await loadImageSet(files, { use: 'train', ...options });
  if (!train) throw new Error('nothing was loaded');
  return { ...train.images, report };
}

/** The message of the UserError that loading these files ends with. */
async function refusal(...args: Parameters<typeof loadImageSet>): Promise<string> {
  const error = await loadImageSet(...args).then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(UserError);
  return error.message;
}

/** The class of each image, by its path. */
function labelsOf({ paths, labels, classes }: LabelledImages): Record<string, string> {
  return Object.fromEntries((paths ?? []).map((path, i) => [path, classes[labels[i]]]));
}

describe('crops by a share', () => {
  const files = userFiles({ 'set/a/1.png': png, 'set/a/2.jpg': jpg, 'set/b/1.jpg': jpg, 'set/b/2.png': png });
  const options = { size: 8, cropPct: 0.8, interpolation: 'bicubic' } as const;

  test('training images keep what the resizing leaves; what a network sees is the crop', async () => {
    const whole = await load(files, { ...options, uncropped: true });
    expect(whole).toMatchObject({ width: 10, height: 10, crop: { top: 1, left: 1, width: 8, height: 8 } });
    const cut = await load(files, options);
    expect(cut).toMatchObject({ width: 8, height: 8 });
    expect(cut.crop).toBeUndefined();
    expect(croppedImages(whole, bytesOf(whole))).toEqual(bytesOf(cut));
  });

  test('held out images are seen as others', async () => {
    const { test: held } = await loadImageSet(files, { ...options, uncropped: true, val: 0.5 });
    expect(held?.images).toMatchObject({ count: 2, width: 10, crop: { width: 8 } });
  });

  test('images that stay as they are lose nothing', async () => {
    const same = await load(files, { cropPct: 0.8, uncropped: true });
    expect(same).toMatchObject({ width: 21, height: 13, crop: { top: 0, left: 0, width: 21, height: 13 } });
    expect(bytesOf(same).subarray(0, rgb('rgb.png').length)).toEqual(new Uint8Array(rgb('rgb.png')));
  });

  test('images of that size are resized and cut as others', async () => {
    const square = { width: 21, height: 13 };
    const { images } = (await loadImageSet(files, { use: 'test', size: square, cropPct: 0.5 })).test!;
    expect(bytesOf(images).subarray(0, 819)).not.toEqual(new Uint8Array(rgb('rgb.png')));
  });
});

describe('a folder for each class', () => {
  const files = {
    'set/dog/2.png': png,
    'set/cat/1.jpg': jpg,
    'set/dog/1.jpg': jpg,
    'set/dog/notes.txt': text('text'),
  };

  test.each([
    ['folder', userFiles(files)],
    ['zip', zip(files)],
    [
      'zip with backslashes and odd paths',
      zip({ '../a\\dog\\2.png': png, '/a/cat/1.jpg': jpg, 'a/./dog/1.jpg': jpg }),
    ],
  ])('%s: classes in alphabetical order, images by path', async (_, source) => {
    const images = await load(source);
    expect(images).toMatchObject({ count: 3, width: 21, height: 13, classes: ['cat', 'dog'] });
    expect(images.report.skipped).toEqual([]);
    expect([...images.labels]).toEqual([0, 1, 1]);
    expect(images.paths?.map((path) => path.slice(-5))).toEqual(['1.jpg', '1.jpg', '2.png']);
    expect(Buffer.from(bytesOf(images))).toEqual(
      Buffer.concat([rgb('plain.jpg'), rgb('plain.jpg'), rgb('rgb.png')]),
    );
  });

  test("classes, their order and the images are torchvision's ImageFolder's", async () => {
    const tree = Object.fromEntries(imageFolder.files.map((path, i) => [`set/${path}`, picture(i)]));
    const { classes, paths, labels } = await load(userFiles(tree));
    expect(classes).toEqual(imageFolder.classes);
    const samples = paths?.map((path, i) => [path.slice('set/'.length), labels[i]]);
    expect(samples).toEqual(imageFolder.samples);
  });

  test('everything below the first level belongs to its class; images above it to none', async () => {
    const images = await load(zip({ 'x/a/zebra/1.jpg': jpg, 'x/b/ant/1.png': png, 'x/overview.png': png }));
    expect(labelsOf(images)).toEqual({ 'x/a/zebra/1.jpg': 'a', 'x/b/ant/1.png': 'b' });
    expect(images.report.skipped).toEqual([
      { path: 'x/overview.png', reason: 'it lies outside the class folders' },
    ]);
  });

  test('folders that hold but one folder are passed through, unless it is a class elsewhere', async () => {
    const wrapped = userFiles(pictures('down/data/images/a/1.ppm', 'down/data/images/b/x/1.ppm'));
    expect((await load(wrapped)).classes).toEqual(['a', 'b']);
    const { test } = await loadImageSet(userFiles(pictures('set/b/x/1.ppm', 'set/b/y/1.ppm')), {
      use: 'test',
      classes: ['a', 'b'],
    });
    expect([...(test?.images.labels ?? [])]).toEqual([1, 1]);
  });

  test('junk is passed over, as files and as folders, and counted', async () => {
    const junk = [
      '__MACOSX/set/a/._1.ppm',
      'set/a/._1.ppm',
      'set/.DS_Store',
      'set/.DS_Store/1.ppm',
      'set/a/.ipynb_checkpoints/1-checkpoint.ppm',
      'set/Thumbs.db',
      'set/b/desktop.ini',
      '.git/1.png',
    ];
    const images = await load(zip({ ...pictures(...junk), ...pictures('set/a/1.ppm', 'set/b/1.ppm') }));
    expect(images).toMatchObject({ count: 2, classes: ['a', 'b'], report: { junk: 8, skipped: [] } });
  });

  test('broken images are skipped with a reason, and no gap is left', async () => {
    const images = await load(
      zip({
        'a/1.jpg': text('text'),
        'a/2.jpg': jpg,
        'b/1.png': png.slice(0, -30),
        'b/2.png': png,
        'b/3.heic': text('    ftypheic\0\0\0\0heic'),
      }),
    );
    const { skipped, warnings } = images.report;
    expect(skipped.map(({ path }) => path)).toEqual(['a/1.jpg', 'b/1.png', 'b/3.heic']);
    expect(skipped[0].reason).toContain('no image that is read');
    expect(warnings.join()).toMatch(
      /3 files were skipped: .*a\/1.jpg: it is no image.*b\/1.png: the PNG is cut off/,
    );
    expect(Buffer.from(bytesOf(images))).toEqual(Buffer.concat([rgb('plain.jpg'), rgb('rgb.png')]));
  });

  test('a size asked for gives squares, unequal images a multiple of 32', async () => {
    expect(await load(userFiles(files), { size: 10 })).toMatchObject({ width: 10, height: 10 });
    const mixed = { 'a/1.png': png, 'b/1.png': png, 'b/2.ppm': picture(1) };
    const images = await load(userFiles(mixed));
    expect(images).toMatchObject({ width: 32, height: 32, count: 3 });
    expect(images.report.notes.join()).toContain('the median of their shorter sides is 13');
    // a test set takes the size of the images that train, square or not
    expect(await load(userFiles(files), { size: { width: 7, height: 4 } })).toMatchObject({
      width: 7,
      height: 4,
    });
  });

  test('an image as high as is asked for loses its sides alone', async () => {
    const images = await load(userFiles({ 'a/1.png': png, 'b/1.png': png }), { size: 13 });
    expect(images).toMatchObject({ width: 13, height: 13 });
    // of 21 columns the middle 13
    const rows = Array.from({ length: 13 }, (_, y) =>
      rgb('rgb.png').subarray((y * 21 + 4) * 3, (y * 21 + 17) * 3),
    );
    expect(Buffer.from(bytesOf(images).subarray(0, 13 * 13 * 3)).equals(Buffer.concat(rows))).toBe(true);
  });

  test('a limit is even over the classes and repeats with the seed', async () => {
    const many = pictures('set/a*8', 'set/b*8');
    const pick = async (seed: number) => load(userFiles(many), { limit: 6, seed });
    const first = await pick(1);
    expect([...first.labels]).toEqual([0, 0, 0, 1, 1, 1]);
    expect(await pick(1)).toEqual(first);
    const others = await Promise.all([2, 3, 4].map(pick));
    expect(others.some((other) => !Buffer.from(bytesOf(other)).equals(Buffer.from(bytesOf(first))))).toBe(
      true,
    );
    expect(first.report.notes.join()).toContain('Of 16 images 6 are taken');
  });

  test('reports progress and stops when told', async () => {
    const seen: number[] = [];
    await load(userFiles(files), { onProgress: ({ done }) => seen.push(done) });
    expect(seen).toEqual([0, 3]);
    const controller = new AbortController();
    const stopped = load(userFiles(files), {
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expect(stopped).rejects.toThrow('abort');
  });

  test('a file that was taken away meanwhile is named', async () => {
    const gone = Object.assign(new Blob(['x']), {
      arrayBuffer: async () => {
        throw new DOMException('The blob could not be read', 'NotReadableError');
      },
    });
    const all = userFiles(files).map((file, i) => (i === 1 ? { ...file, blob: gone } : file));
    await expect(load(all)).rejects.toThrow(`${all[1].path} can no longer be read`);
    await expect(load(all)).rejects.toThrow(UserError);
  });
});

describe('parts', () => {
  const parts = async (files: Record<string, Uint8Array<ArrayBuffer>>, options: LoadOptions = {}) => {
    const { train, test, report } = await loadImageSet(zip(files), options);
    return { train: train?.images.paths, test: test?.images.paths, report };
  };

  test.each([
    ['train', 'val'],
    ['training', 'valid'],
    ['Train', 'validation'],
    ['TRAINING', 'dev'],
    ['train', 'test'],
    ['train', 'Testing'],
    ['deep/er/train', 'deep/er/val'],
    ['train/wrapped', 'test'],
    ['seg_train/seg_train', 'seg_test/seg_test'],
    ['training_set', 'test-set'],
    ['TrainImages', 'TestImages'],
    ['train_val', 'test'],
    ['train', 'eval'],
    ['train', 'evaluation'],
    ['trn', 'tst'],
    ['TRN', 'vld'],
  ])('%s trains and %s tests', async (train, held) => {
    const found = await parts(pictures(`${train}/a*2`, `${train}/b/c*1`, `${held}/a*1`, `${held}/b*1`));
    expect(found.train).toEqual([`${train}/a/0.ppm`, `${train}/a/1.ppm`, `${train}/b/c/0.ppm`]);
    expect(found.test).toEqual([`${held}/a/0.ppm`, `${held}/b/0.ppm`]);
    expect(found.report.classes).toEqual(['a', 'b']);
  });

  const three = pictures('s/train/a*3', 's/train/b*3', 's/val/a*2', 's/val/b*2', 's/test/a*1', 's/test/b*1');

  test('val tests a training, test an evaluation; what is not used is told', async () => {
    const both = await parts(three);
    expect(both.test).toEqual(['s/val/a/0.ppm', 's/val/a/1.ppm', 's/val/b/0.ppm', 's/val/b/1.ppm']);
    expect(both.report).toMatchObject({
      parts: [
        { use: 'train', from: 'train', images: 6, perClass: [3, 3] },
        { use: 'test', from: 'val', images: 4, perClass: [2, 2] },
      ],
      unused: [{ part: 'test', images: 2 }],
    });
    expect(both.report.notes).toContain(
      '6 images train (part train), 4 images test (part val), 2 images of part test are not used.',
    );
    expect((await parts(three, { use: 'test' })).test).toEqual(['s/test/a/0.ppm', 's/test/b/0.ppm']);
    expect(await parts(three, { use: 'train' })).toMatchObject({ test: undefined, train: { length: 6 } });
  });

  test('the training part names the classes of an evaluation', async () => {
    const { test } = await loadImageSet(
      zip(pictures('train/a*1', 'train/b*1', 'train/c*1', 'test/c*1', 'test/a*1')),
      { use: 'test' },
    );
    expect(test?.images.classes).toEqual(['a', 'b', 'c']);
    expect([...(test?.images.labels ?? [])]).toEqual([0, 2]);
  });

  test('a part alone is the whole source', async () => {
    const one = pictures('set/train/a*4', 'set/train/b*4');
    expect((await parts(one, { use: 'test' })).test).toHaveLength(8);
    expect(await parts(one)).toMatchObject({ train: { length: 6 }, test: { length: 2 } });
  });

  test('other folders beside the parts are left out, and listed', async () => {
    const { report } = await parts({ ...three, ...pictures('s/extra/a/1.ppm', 's/1.ppm') });
    expect(report.skipped.map(({ path }) => path)).toEqual(['s/1.ppm', 's/extra/a/1.ppm']);
    expect(report.skipped[0].reason).toContain('outside the parts');
  });

  test('images to predict may lie beside parts that have the same classes', async () => {
    const found = await parts(
      pictures(
        'seg_train/seg_train/a*2',
        'seg_train/seg_train/b*2',
        'seg_test/a*1',
        'seg_test/b*1',
        'seg_pred/p*2',
      ),
    );
    expect(found).toMatchObject({ train: { length: 4 }, test: { length: 2 } });
    expect(found.report.classes).toEqual(['a', 'b']);
    expect(found.report.skipped.map(({ path }) => path)).toEqual(['seg_pred/p/0.ppm', 'seg_pred/p/1.ppm']);
  });

  test('flat test images and folders of other kinds may lie beside training images in classes', async () => {
    const found = await parts(pictures('Train/0*5', 'Train/1*5', 'Test/1.ppm', 'Meta/1.ppm'));
    expect(found.report.classes).toEqual(['0', '1']);
    expect(found.report.skipped.map(({ path }) => path)).toEqual(['Meta/1.ppm', 'Test/1.ppm']);
  });

  test('a folder that has all classes once more is no class', async () => {
    const found = await parts(pictures('set/a*5', 'set/b*5', 'set/set/a*5', 'set/set/b*5'));
    expect(found.report.classes).toEqual(['a', 'b']);
    expect(found.report.skipped).toHaveLength(10);
    expect(found.report.skipped[0].reason).toBe('its folder holds the classes once more');
  });

  test('folders that may be parts, and are taken as classes, are told', async () => {
    const { report } = await parts(pictures('train/a*2', 'train/b*2', 'holdout/a*2', 'holdout/b*2'));
    expect(report.classes).toEqual(['holdout', 'train']);
    expect(report.notes).toContain(
      "Folders such as 'train' are taken as classes; where they are parts of the set, name them train, val and test.",
    );
  });

  test.each([
    ['set/images', 'set/masks', true],
    ['set/train/Image', 'set/train/Mask', true],
    ['set/images', 'set/drawings', false],
  ])('%s and %s look like images and their masks: %s', async (images, masks, told) => {
    const { report } = await parts(pictures(`${images}*3`, `${masks}*3`));
    const note = `Folders '${images}' and '${masks}' are taken as two classes, but look like images and their masks: masks are not read, and a folder for each class is needed.`;
    expect(report.notes.includes(note)).toBe(told);
    expect(report.classes).toHaveLength(2);
  });

  test('train may be a class', async () => {
    const vehicles = pictures('set/train*2', 'set/plane*2', 'set/test bus*2');
    expect((await load(userFiles(vehicles))).classes).toEqual(['plane', 'test bus', 'train']);
  });

  test('two archives are two folders', async () => {
    const archives = [
      ...zip(pictures('a*2', 'b*2'), 'Train.zip'),
      ...zip(pictures('a*1', 'b*1'), 'test.zip'),
    ];
    const { train, test } = await loadImageSet(archives);
    expect([train?.images.count, test?.images.count]).toEqual([4, 2]);
  });

  test("a contest's test images, in no folders of classes, leave some of the training images to test with", async () => {
    const { train, test, report } = await loadImageSet(
      zip(pictures('train/a*5', 'train/b*5', 'test/1.ppm', 'test/2.ppm')),
    );
    expect([train?.images.count, test?.images.count]).toEqual([8, 2]);
    expect(report.parts[1].from).toBe('held');
    expect(report.notes).toContain('Part test has no folder of images for each class and is not used.');
    expect(report.skipped.map(({ path }) => path)).toEqual(['test/1.ppm', 'test/2.ppm']);
    expect(await refusal(zip(pictures('train/1.ppm', 'val/a*2', 'val/b*2')))).toContain('no class');
  });

  test('nor in one folder that is no class, as in Tiny ImageNet', async () => {
    const { train, test, report } = await loadImageSet(
      zip(pictures('train/a*5', 'train/b*5', 'val/images*2', 'test/test*1')),
    );
    expect([train?.images.count, test?.images.count]).toEqual([8, 2]);
    expect(report.notes).toContain('Part val has no folder of images for each class and is not used.');
    expect(report.skipped).toHaveLength(3);
  });

  test("CUB's split file tells the parts, which a tar keeps", async () => {
    const images = pictures('cub/images/1.a*3', 'cub/images/2.b*3');
    const list = text('1 1.a/0.ppm\n2 1.a/1.ppm\n3 1.a/2.ppm\n4 2.b/0.ppm\n5 2.b/1.ppm\n6 2.b/9.ppm\n');
    const split = text('1 1\n2 0\n3 1\n4 0\r\n5 1\n6 1\n');
    const set = { ...images, 'cub/images.txt': list, 'cub/train_test_split.txt': split };
    const { train, test, report } = await parts(set);
    expect(train).toEqual(['1.a/0', '1.a/2', '2.b/1'].map((name) => `cub/images/${name}.ppm`));
    expect(test).toEqual(['cub/images/1.a/1.ppm', 'cub/images/2.b/0.ppm']);
    expect(report.notes).toContain('Training and test images are those of cub/train_test_split.txt.');
    expect(report.skipped).toEqual([
      { path: 'cub/images/2.b/2.ppm', reason: 'the split file has no mark for it' },
    ]);
    expect(Object.keys(set).every(isWanted)).toBe(true);
    const alone = await parts({ ...images, 'cub/train_test_split.txt': split });
    expect(alone.report.parts[1].from).toBe('held');
    expect(alone.report.notes.join()).toContain('cub/train_test_split.txt is not read');
  });

  test('a part of other classes is named with both', async () => {
    expect(await refusal(zip(pictures('train/Cat*2', 'train/Dog*2', 'val/cat*1', 'val/dog*1')))).toContain(
      "Part val of set.zip has none of the training images' classes: it has 'cat', 'dog', they are 'Cat', 'Dog'",
    );
  });

  test('nothing to train with', async () => {
    expect(await refusal(zip(pictures('val/a*1', 'val/b*1', 'test/a*1', 'test/b*1')))).toContain('no train');
  });
});

describe('a split', () => {
  test('each class is on both sides where it has two images', async () => {
    const { train, test, report } = await loadImageSet(userFiles(pictures('set/a*2', 'set/b*2', 'set/c*1')));
    expect([...(train?.images.labels ?? [])]).toEqual([0, 1, 2]);
    expect([...(test?.images.labels ?? [])]).toEqual([0, 1]);
    expect(report.notes.join()).toContain(
      '2 images test (held out: 20 % of each class, at least one, --val 0.2, seed 0)',
    );
    expect(report.warnings).toContain("There are no test images of class 'c'.");
  });

  test('repeats with the seed, and another seed holds others out', async () => {
    const many = userFiles(pictures('set/a*20', 'set/b*20'));
    const held = async (seed: number) => (await loadImageSet(many, { seed, val: 0.3 })).test?.images.paths;
    expect(await held(1)).toHaveLength(12);
    expect(await held(1)).toEqual(await held(1));
    expect(await held(2)).not.toEqual(await held(1));
    const half = await loadImageSet(many, { val: 0.5, seed: 3 });
    expect(half.report.notes.join()).toContain(
      '(held out: 50 % of each class, at least one, --val 0.5, seed 3)',
    );
    const byDefault = (await loadImageSet(many)).test?.images.paths;
    expect(byDefault).toEqual((await loadImageSet(many, { seed: 0, val: 0.2 })).test?.images.paths);
  });

  test('images that are equal after decoding stay on one side, and are counted', async () => {
    // every picture is there as PPM of either kind of white space, and in another class once
    const files: Record<string, Uint8Array<ArrayBuffer>> = { 'set/b/0 again.ppm': picture(1000) };
    for (let i = 0; i < 12; i++) {
      const bytes = picture(1000 + i);
      const other = bytes.slice();
      other[2] = 10;
      files[`set/${i % 2 ? 'a' : 'b'}/${i}.ppm`] = bytes;
      files[`set/${i % 2 ? 'a' : 'b'}/copy of ${i}.ppm`] = other;
    }
    for (let seed = 0; seed < 5; seed++) {
      const { train, test, report } = await loadImageSet(userFiles(files), { seed, val: 0.4 });
      const trained = new Set(train?.digests);
      expect(test?.digests.filter((digest) => trained.has(digest))).toEqual([]);
      expect(report.duplicates).toEqual({ copies: 13, leaked: 0, contradictions: 0 });
      expect(report.warnings.join()).toContain(
        '13 images are equal to another after decoding; equal images stay',
      );
    }
  });

  test('needs two different images of a class', async () => {
    expect(await refusal(userFiles(pictures('set/a*1', 'set/b*1')))).toContain('two different images');
  });

  test('equal images across given parts and across classes are told', async () => {
    const files = {
      ...pictures('train/a*2', 'train/b*2', 'test/a*2', 'test/b*2'),
      'train/a/x.ppm': picture(7),
      'test/b/x.ppm': picture(7),
    };
    const { report } = await loadImageSet(zip(files));
    expect(report.duplicates).toEqual({ copies: 0, leaked: 1, contradictions: 1 });
    expect(report.warnings.join('\n')).toMatch(
      /1 test image is among the training images[\s\S]*one of the two labels is wrong/,
    );
  });
});

describe('a test set is mapped by name', () => {
  const classes = ['ant', 'bee', 'c\u00e9'];
  const mapped = (...paths: string[]) =>
    loadImageSet(userFiles(pictures(...paths)), { use: 'test', classes });

  test('classes that it lacks are told, those that it adds are left out', async () => {
    const { test, report } = await mapped('set/bee*2', 'set/zebra*3', 'set/ce\u0301*1');
    expect(test?.images).toMatchObject({ count: 3, classes });
    expect([...(test?.images.labels ?? [])]).toEqual([1, 1, 2]);
    expect(report.warnings).toContain("There are no test images of class 'ant'.");
    expect(report.skipped).toHaveLength(3);
    expect(report.warnings.join()).toContain(
      "and 2 more: class 'zebra' is not among the training images' classes",
    );
  });

  test('where nothing matches both lists are shown', async () => {
    const error = mapped('set/x*1', 'set/y*1');
    await expect(error).rejects.toThrow("it has 'x', 'y', they are 'ant', 'bee', 'c\u00e9'");
    await expect(error).rejects.toBeInstanceOf(UserError);
  });
});

describe('labels in a file', () => {
  const flat = pictures('set/img/1.ppm', 'set/img/2.ppm', 'set/img/3.ppm');
  const wanted = { 'set/img/1.ppm': 'cat', 'set/img/2.ppm': 'dog', 'set/img/3.ppm': 'cat' };
  test.each([
    ['CSV', 'labels.csv', 'filename,label\n1.ppm,cat\n2.ppm,dog\n3.ppm,cat\n'],
    [
      'CSV of other columns, in another order',
      'meta.csv',
      'Age,Class,Image Name\n3,cat,img/1.ppm\n,dog,img/2.ppm\n1,cat,img/3.ppm\n',
    ],
    ["CSV without a header, as in PyTorch's tutorial", 'labels.csv', '1.ppm, cat\n2.ppm, dog\n3.ppm, cat'],
    [
      'CSV without extensions, quoted, with a byte order mark and CRLF',
      'labels.csv',
      '\ufeff"id","breed"\r\n"1","cat"\r\n"2","dog"\r\n"3","cat"\r\n',
    ],
    ['CSV with semicolons', 'labels.csv', 'file;label\n1.ppm;cat\n2.ppm;dog\n3.ppm;cat\n'],
    ['TSV', 'labels.tsv', 'file\tlabel\nimg\\1.ppm\tcat\n./img/2.ppm\tdog\n/img/3.ppm\tcat\n'],
    [
      'CSV of the German road signs, with the paths of another machine',
      'Test.csv',
      'Width,ClassId,Path\n4,cat,C:\\signs\\img\\1.ppm\n4,dog,/home/x/img/2.ppm\n4,cat,../input/img/3.ppm\n',
    ],
    [
      'CSV of other names, known by what it holds, its rows numbered',
      'list.csv',
      ',picture,Disease\n0,1.ppm,cat\n1,2.ppm,dog\n2,3.ppm,cat\n',
    ],
    [
      'CSV without a header, of three columns',
      'all.csv',
      '1.ppm,cat,train\n2.ppm,dog,train\n3.ppm,cat,train\n',
    ],
    [
      'CSV with a column for each class, and others',
      'truth.csv',
      'image,age,cat,dog,weight\n1,70,1.0,0.0,0.5\n2,71,0.0,1.0,1\n3,72,1.0,0.0,1\n',
    ],
    ['JSON, label by name', 'labels.json', '{"1.ppm": "cat", "2.ppm": "dog", "3.ppm": "cat"}'],
    ['JSON, names by class', 'labels.json', '{"cat": ["1.ppm", "img/3.ppm"], "dog": ["2.ppm"]}'],
    [
      'JSON, objects',
      'labels.json',
      '[{"file_name": "1.ppm", "label": "cat"}, {"file_name": "2.ppm", "label": "dog"}, {"file_name": "3.ppm", "label": "cat"}]',
    ],
    [
      'JSON, objects by name',
      'labels.json',
      '{"1.ppm": {"label": "cat"}, "2.ppm": {"label": "dog"}, "3.ppm": {"label": "cat"}}',
    ],
    [
      'JSON, pairs under a key',
      'dataset.json',
      '{"labels": [["1.ppm", "cat"], ["2.ppm", "dog"], ["3.ppm", "cat"]]}',
    ],
    [
      'JSON lines',
      'metadata.jsonl',
      '{"file_name": "1.ppm", "label": "cat"}\n{"file_name": "2.ppm", "label": "dog"}\n{"file_name": "3.ppm", "label": "cat"}\n',
    ],
  ])('%s', async (_, name, content) => {
    const images = await load(userFiles({ ...flat, [`set/${name}`]: text(content) }));
    expect(labelsOf(images)).toEqual(wanted);
    expect(images.report.notes).toContain(`Labels of 3 images from set/${name}.`);
  });

  test('a row without an image or without a label counts for nothing', async () => {
    const csv = text('filename,label\n1.ppm,cat\n,dog\n2.ppm,dog\n3.ppm,\n');
    const images = await load(userFiles({ ...flat, 'set/labels.csv': csv }));
    expect(images.classes).toEqual(['cat', 'dog']);
    expect([...images.labels]).toEqual([0, 1]);
    expect(images.report.notes).toContain('Labels of 2 images from set/labels.csv.');
  });

  test('a row that marks no class, or several, counts for nothing; a table that mostly marks several is none', async () => {
    const some = text('image,cat,dog,cow\n1,1,0,0\n2,0,1,0\n3,1,1,0\n');
    const images = await load(userFiles({ ...flat, 'set/labels.csv': some }));
    expect(labelsOf(images)).toEqual({ 'set/img/1.ppm': 'cat', 'set/img/2.ppm': 'dog' });
    expect(images.report.skipped).toEqual([
      { path: 'set/img/3.ppm', reason: 'no label file gives it a class' },
    ]);
    const most = text('image,cat,dog\n1,1,1\n2,1,1\n3,1,0\n');
    expect(await refusal(userFiles({ ...flat, 'set/labels.csv': most }))).toContain('names none');
  });

  test('what it does not name is left out, what it names in vain is counted', async () => {
    const csv = text('filename,label\n1.ppm,cat\n2.ppm,dog\n9.ppm,cat\n');
    const { report } = await load(userFiles({ ...flat, 'set/labels.csv': csv }));
    expect(report.skipped).toEqual([{ path: 'set/img/3.ppm', reason: 'no label file gives it a class' }]);
    expect(report.notes.join()).toContain('1 of its rows name no image');
  });

  test('its text may be in the encodings of spreadsheets, and a second label of an image is told', async () => {
    const csv = 'filename,label\n1.ppm,café\n2.ppm,thé\n3.ppm,thé\n1.ppm,thé\n';
    const named = async (bytes: Uint8Array<ArrayBuffer>) =>
      load(userFiles({ ...flat, 'set/labels.csv': bytes }));
    const western = await named(Uint8Array.from(Buffer.from(csv, 'latin1')));
    expect(western.classes).toEqual(['café', 'thé']);
    expect(western.report.notes).toContain(
      'Labels of 3 images from set/labels.csv; 1 of its rows give an image another label than the first that names it; it is not in UTF-8 and is read as Windows-1252.',
    );
    const wide = await named(Uint8Array.from(Buffer.from(`\ufeff${csv}`, 'utf16le')));
    expect(wide.classes).toEqual(['café', 'thé']);
    expect(wide.report.notes.join()).not.toContain('Windows');
  });

  test('a column may tell the parts', async () => {
    const csv = text(
      'path,label,split\nimg/1.ppm,cat,train\nimg/2.ppm,dog,Train\nimg/3.ppm,dog,validation\n',
    );
    const { train, test } = await loadImageSet(userFiles({ ...flat, 'set/labels.csv': csv }));
    expect(train?.images.paths).toEqual(['set/img/1.ppm', 'set/img/2.ppm']);
    expect(labelsOf(test?.images as LabelledImages)).toEqual({ 'set/img/3.ppm': 'dog' });
  });

  test('rows of other parts are left out, and no rows where none is a part', async () => {
    const named = (last: string, first = 'train') =>
      load(
        userFiles({
          ...flat,
          'set/labels.csv': text(
            `path,label,split\n1.ppm,cat,${first}\n2.ppm,dog,${first}\n3.ppm,dog,${last}\n`,
          ),
        }),
      );
    const left = await named('unused');
    expect(left.paths).toEqual(['set/img/1.ppm', 'set/img/2.ppm']);
    expect(left.report.notes.join()).toContain('1 of its rows are of no part such as train, val or test');
    expect(left.report.skipped).toHaveLength(1);
    expect((await named('1', '0')).count).toBe(3);
  });

  test('accents may stand apart from their letters', async () => {
    const images = await load(
      userFiles({
        ...pictures('set/i/e\u0301.ppm', 'set/i/o.ppm'),
        'set/l.csv': text('file,label\n\u00e9.ppm,a\no.ppm,b\n'),
      }),
    );
    expect(images.count).toBe(2);
  });

  test('a path of the set itself is not taken for one of another machine', async () => {
    const csv = text('file,label\nb/1.ppm,x\nimg/1.ppm,y\nimg/2.ppm,x\n');
    const images = await load(userFiles({ ...flat, 'set/labels.csv': csv }));
    expect(labelsOf(images)).toEqual({ 'set/img/1.ppm': 'y', 'set/img/2.ppm': 'x' });
  });

  test("COCO's tables give the names of categories to images that show one", async () => {
    const coco = (...seen: [image: number, category: number][]) =>
      text(
        JSON.stringify({
          images: [1, 2, 3].map((id) => ({ id, file_name: `${id}.ppm` })),
          annotations: seen.map(([image_id, category_id], id) => ({ id, image_id, category_id, bbox: [] })),
          categories: [
            { id: 0, name: 'things', supercategory: 'none' },
            { id: 1, name: 'a', supercategory: 'things' },
            { id: 2, name: 'b', supercategory: 'things' },
          ],
        }),
      );
    const files = pictures('train/1.ppm', 'train/2.ppm', 'train/3.ppm', 'valid/1.ppm', 'valid/2.ppm');
    const { train, test } = await loadImageSet(
      zip({
        ...files,
        'train/_annotations.coco.json': coco([1, 1], [2, 2], [2, 2], [3, 1], [3, 2]),
        'valid/_annotations.coco.json': coco([1, 2], [2, 1]),
      }),
    );
    expect(labelsOf(train?.images as LabelledImages)).toEqual({ 'train/1.ppm': 'a', 'train/2.ppm': 'b' });
    expect(labelsOf(test?.images as LabelledImages)).toEqual({ 'valid/1.ppm': 'b', 'valid/2.ppm': 'a' });
    const several = coco([1, 1], [1, 2], [2, 1], [2, 2], [3, 2]);
    expect(await refusal(userFiles({ ...flat, 'set/all.json': several }))).toContain('several classes');
  });

  test('flat parts with a file each, and the same names in both', async () => {
    const files = pictures('set/train/1.ppm', 'set/train/2.ppm', 'set/test/1.ppm', 'set/test/2.ppm');
    const { train, test } = await loadImageSet(
      userFiles({
        ...files,
        'set/train.csv': text('id,label\n1,x\n2,y\n'),
        'set/test.csv': text('id,label\n1,y\n2,x\n'),
        'set/sample_submission.csv': text('id,label\n1,x\n2,x\n'),
      }),
    );
    expect(labelsOf(train?.images as LabelledImages)).toEqual({
      'set/train/1.ppm': 'x',
      'set/train/2.ppm': 'y',
    });
    expect(labelsOf(test?.images as LabelledImages)).toEqual({
      'set/test/1.ppm': 'y',
      'set/test/2.ppm': 'x',
    });
  });

  test('folders go before a file among them; a file given beside them goes before the folders', async () => {
    const files = pictures('set/part_1/1.ppm', 'set/part_2/2.ppm');
    const csv = text('image_id,dx\n1,nv\n2,mel\n');
    expect((await load(userFiles({ ...files, 'set/meta.csv': csv }))).classes).toEqual(['part_1', 'part_2']);
    expect((await load(userFiles({ ...files, 'meta.csv': csv }))).classes).toEqual(['mel', 'nv']);
    expect(await refusal(userFiles({ ...files, 'meta.csv': text('a,b\nx,y\n') }))).toContain('names none');
  });

  test('what is no label file is left alone', async () => {
    const other = {
      'set/a.csv': text('x'),
      'set/b.json': text('{"a": 1, "b": [2]}'),
      'set/c.json': text('[[['),
      'set/d.csv': text('a,b,c\n1,2,3'),
    };
    expect(await refusal(userFiles({ ...flat, ...other }))).toMatch(
      /one class only by its folders, and 'set\/a\.csv', .* names none of its images/,
    );
  });
});

describe('order of classes', () => {
  const numbers = pictures('set/1*1', 'set/2*1', 'set/10*1', 'set/Class b*1', 'set/class a*1');
  const ordered = async (classOrder: LoadOptions['classOrder'], files = numbers) =>
    load(userFiles(files), { classOrder });

  test('by name, natural, or as listed', async () => {
    expect((await ordered('name')).classes).toEqual(['1', '10', '2', 'Class b', 'class a']);
    expect((await ordered('natural')).classes).toEqual(['1', '2', '10', 'class a', 'Class b']);
    const list = ['10', 'class a', 'none here', '1', '2', 'Class b'];
    const images = await ordered(list);
    expect(images.classes).toEqual(list);
    expect([...images.labels]).toEqual([0, 1, 3, 4, 5]);
    expect(images.paths?.[0]).toBe('set/10/0.ppm');
    expect(images.report.warnings).toContain("There are no training images of class 'none here'.");
  });

  test('natural order takes digits of any length as numbers', async () => {
    const names = ['a2b10', 'a2b9', 'a010', 'a10', `a${'9'.repeat(30)}`, `a1${'0'.repeat(30)}`, 'a'];
    const { classes } = await ordered('natural', pictures(...names.map((name) => `set/${name}*1`)));
    expect(classes).toEqual([
      'a',
      'a2b9',
      'a2b10',
      'a010',
      'a10',
      `a${'9'.repeat(30)}`,
      `a1${'0'.repeat(30)}`,
    ]);
  });

  test('a list that lacks a class, or names one twice', async () => {
    expect(await refusal(userFiles(numbers), { classOrder: ['1', '2'] })).toContain(
      "lacks '10', 'Class b', 'class a'",
    );
    expect(await refusal(userFiles(numbers), { classOrder: ['1', '1'] })).toContain("'1' twice");
  });

  test('numbers in order of their text get a hint, where it matters', async () => {
    const hint = async (...names: string[]) =>
      (await load(userFiles(pictures(...names.map((n) => `set/${n}*1`))))).report.warnings.join();
    expect(await hint('0', '1', '10', '2')).toContain('--class-order natural');
    expect(await hint('0', '1', '2')).toBe('');
    expect(await hint('00', '01', '02', '10')).toBe('');
    expect(await hint('1', '10', '2', 'x')).toBe('');
  });
});

describe('EXIF orientation', () => {
  const files = userFiles({ 'set/a/1.jpg': fixture('turned.jpg'), 'set/b/1.jpg': jpg });

  test('is ignored and counted', async () => {
    const images = await load(files);
    expect(images).toMatchObject({ width: 21, height: 13, report: { rotated: 1, upright: false } });
    expect(images.report.warnings).toContain(
      "1 image has an EXIF rotation, which is ignored, as torchvision's loader does; --exif apply turns them upright.",
    );
  });

  test('or applied', async () => {
    const images = await load(files, { exif: 'apply', size: { width: 13, height: 21 } });
    expect(images.report).toMatchObject({ rotated: 1, upright: true, warnings: [] });
    const upright = Buffer.from(expected.upright[5].pixels, 'base64');
    expect(Buffer.from(bytesOf(images).subarray(0, upright.length)).equals(upright)).toBe(true);
  });
});

describe('archives', () => {
  const archive = (name: string) => [userFile(name, fixture(name, 'archives'))];
  const gray4 = Buffer.from(expected.decoded['gray4.png'], 'base64');

  test.each(['ustar.tar', 'gnu.tar.gz', 'pax.tgz'])('%s, with long names and links', async (name) => {
    const images = await load(archive(name));
    expect(images.classes).toEqual(name === 'ustar.tar' ? ['a', 'b'] : ['a', 'b', '犬']);
    const found = images.paths?.map((path) => [path.split('/')[1], path.length]);
    expect(found?.slice(0, 5)).toEqual([
      ['a', 11],
      ['a', 14],
      ['a', 166],
      ['b', 11],
      ['b', 14],
    ]);
    expect(images.report.junk).toBe(1);
    expect(Buffer.from(bytesOf(images).subarray(0, gray4.length)).equals(gray4)).toBe(true);
  });

  test.each([
    ['shift-jis.zip', ['ソ', '犬', '鳥'], 'read as Shift-JIS'],
    ['gbk.zip', ['狗', '猫', '鸟'], 'read as GBK'],
    ['cp437.zip', ['Birnen', 'Nüsse', 'Äpfel'], 'read as CP437'],
    ['descriptors.zip', ['a', 'b'], undefined],
  ])('%s', async (name, classes, codePage) => {
    const images = await load(archive(name));
    expect(images).toMatchObject({ classes, count: classes.length });
    const told = images.report.notes.find((note) => note.includes('read as'));
    if (codePage) expect(told).toContain(codePage);
    else expect(told).toBeUndefined();
  });

  test.each([
    ['bzip2.zip', 'packed by bzip2 \\(method 12\\)'],
    ['lzma.zip', 'packed by LZMA \\(method 14\\)'],
  ])('%s is refused in words', async (name, reason) => {
    expect(await refusal(archive(name))).toMatch(new RegExp(`${reason}.*make the archive again`));
  });

  test.each([
    ['7z', [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], '7-Zip'],
    ['rar', [...text('Rar!\x1a\x07')], 'RAR'],
    ['tar.bz2', [...text('BZh91AY&SY')], 'bzip2'],
    ['tar.xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], 'xz'],
    ['tar.zst', [0x28, 0xb5, 0x2f, 0xfd], 'Zstandard'],
  ])('%s is refused in words', async (ending, bytes, name) => {
    expect(await refusal([userFile(`set.${ending}`, Uint8Array.from(bytes))])).toContain(`packed by ${name}`);
  });

  test('a tar that is cut off, or whose entry claims a terabyte', async () => {
    const tar = fixture('ustar.tar', 'archives');
    expect(await refusal([userFile('set.tar', tar.slice(0, 1800))])).toContain('damaged tar');
    const claim = tar.slice();
    // base-256 size and a checksum that holds
    claim.set([0x80, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff], 512 + 124);
    claim.fill(0x20, 512 + 148, 512 + 156);
    const sum = claim.subarray(512, 1024).reduce((a, b) => a + b, 0);
    claim.set(text(`${sum.toString(8).padStart(6, '0')}\0 `), 512 + 148);
    expect(await refusal([userFile('set.tar', claim)])).toMatch(/damaged tar|limits/);
  });
});

test.each([
  ['center', 'Their middle is kept'],
  ['squash', 'They are stretched'],
  ['border', 'with black around them'],
] as const)('what is kept of images of another size is said: %s', async (cropMode, sentence) => {
  const { notes } = (await load(zip(pictures('a*2', 'b*2')), { size: 5, cropMode })).report;
  expect(notes.filter((note) => /middle|stretched|black/.test(note))).toEqual([
    expect.stringContaining(sentence),
  ]);
  for (const size of [0, 4]) {
    const same = await load(zip(pictures('a*2', 'b*2')), { size, cropMode });
    expect(same.report.notes.join()).toMatch(/All images are 4x4/);
    expect(same.report.notes.join()).not.toContain(sentence);
  }
});

describe('a source that cannot be used says why', () => {
  const two = { 'a/1.jpg': jpg, 'b/1.jpg': jpg };
  const manyFiles = Object.fromEntries(
    Array.from({ length: 20_000 }, (_, i) => [`a/${i}.txt`, new Uint8Array(0)]),
  );
  test.each([
    ['nothing', [], 'no files'],
    ['an empty zip', zip({}), 'holds no file'],
    ['a zip of text', zip({ 'a/notes.txt': text('text') }), 'holds no image'],
    ['one class', zip({ 'a/1.jpg': jpg, 'a/2.jpg': jpg }), "one class only ('a')"],
    ['images without folders', zip({ '1.jpg': jpg, '2.jpg': jpg }), 'no class'],
    [
      'a zip of zips',
      zip({ 'a/1.zip': text('PK'), 'b/1.zip': text('PK') }),
      "holds no image but archives ('a/1.zip', 'b/1.zip')",
    ],
    ['a folder of zips', userFiles({ 'set/train.zip': text('PK') }), "archives ('set/train.zip')"],
    [
      "MedMNIST's arrays",
      zip({ 'train_images.npy': text('\x93NUMPY') }, 'blood.npz'),
      "tables ('train_images.npy')",
    ],
    [
      'a table with its images',
      [userFile('set/data/train.parquet', text('PAR1'))],
      'save their images as PNG files',
    ],
    ['a web page', [userFile('set.zip', text('<!DOCTYPE html>'))], 'it is a web page'],
    ['an empty file', [userFile('set.zip', text(''))], 'the file is empty'],
    ['a zip of very many files', zip(manyFiles), 'holds no image'],
    ['a folder with one image', [userFile('set/a/1.jpg', jpg)], 'set has one class only'],
    ['an empty class folder', zip({ ...two, 'c/': new Uint8Array(0) }), "Class 'c'"],
    ['a class of text', userFiles({ ...two, 'c/notes.txt': text('text') }), "Class 'c'"],
    ['a class of broken images', zip({ ...two, 'c/1.jpg': text('text') }), "Class 'c'"],
    ['broken images only', zip({ 'a/1.jpg': text('text'), 'b/1.jpg': text('text') }), 'None of the images'],
    ["CIFAR's version for Python", zip({ 'cifar-10-batches-py/data_batch_1': text('x') }), 'binary version'],
  ])('%s', async (_, source, reason) => {
    expect(await refusal(source, { use: 'train' })).toContain(reason);
  });

  test('a cut-off zip', async () => {
    const [{ blob }] = zip(two);
    const bytes = new Uint8Array(await blob.arrayBuffer());
    expect(await refusal([userFile('set.zip', bytes.slice(0, -9))])).toContain('cut off');
  });

  test('an encrypted zip', async () => {
    const bytes = new Uint8Array(await zip(two)[0].blob.arrayBuffer());
    const view = new DataView(bytes.buffer);
    for (let at = 0; at + 4 < bytes.length; at++)
      if (view.getUint32(at, true) === 0x02014b50) bytes[at + 8] |= 1;
    expect(await refusal([userFile('set.zip', bytes)])).toContain('encrypted');
  });

  test.each([
    ['claims too much', 70e6, 'above the limit of 64 MiB'],
    ['claims too little', 1000, 'more than the 1000 bytes'],
  ])('a zip bomb that %s', async (_, claim, reason) => {
    const bomb = new Uint8Array(
      await zip({ 'a/1.jpg': new Uint8Array(1e6), 'b/1.jpg': text('text') })[0].blob.arrayBuffer(),
    );
    const view = new DataView(bomb.buffer);
    const entry = bomb.findIndex((_, at) => at + 4 < bomb.length && view.getUint32(at, true) === 0x02014b50);
    view.setUint32(entry + 24, claim, true);
    expect(await refusal([userFile('set.zip', bomb)])).toContain(reason);
  });

  test('a zip whose files claim more together than a zip of photographs can hold', async () => {
    const bytes = new Uint8Array(await zip(two)[0].blob.arrayBuffer());
    const view = new DataView(bytes.buffer);
    for (let at = 0; at + 4 < bytes.length; at++)
      if (view.getUint32(at, true) === 0x02014b50) view.setUint32(at + 24, 2 ** 31 + 9, true);
    expect(await refusal([userFile('set.zip', bytes)])).toContain(
      'unpacks to 5 GiB, above the limit of 4 GiB',
    );
  });

  test('options out of range', async () => {
    expect(await refusal(zip(two), { size: 1e6 })).toContain('image size');
    expect(await refusal(zip(two), { limit: -1 })).toContain('limit');
    expect(await refusal(zip(two), { val: 1 })).toContain('fraction');
  });
});

test('the list of skipped files is CSV, whatever the names', () => {
  const skipped = [
    { path: 'a/1.jpg', reason: 'the file is empty' },
    { path: 'a/"x", y.jpg', reason: 'it says "no",\nand more' },
  ];
  expect(skippedCsv(skipped)).toBe(
    'path,reason\r\na/1.jpg,the file is empty\r\n"a/""x"", y.jpg","it says ""no"",\nand more"\r\n',
  );
});
