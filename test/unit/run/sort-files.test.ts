import { zipSync } from 'fflate';
import { expect, test } from 'vitest';
import type { UserFile } from '../../../src/data/types';
import { sortFiles } from '../../../src/run/sort-files';
import { fixture, text, userFile } from '../data/helpers';

const file = (path: string, content: Uint8Array<ArrayBuffer> = text('x')): UserFile =>
  userFile(path, content);
const packed = (path: string, ...names: string[]) =>
  file(path, zipSync(Object.fromEntries(names.map((name) => [name, text(name)]))) as Uint8Array<ArrayBuffer>);

/** The names of what is for each purpose. */
async function sorted(...files: UserFile[]) {
  const { weights, images, pictures, labels, settings, ignored } = await sortFiles(files);
  const named = (indices: number[]) => indices.map((i) => files[i].path);
  return {
    weights: named(weights),
    images: named(images),
    pictures: named(pictures),
    labels: labels === undefined ? undefined : files[labels].path,
    settings: settings === undefined ? undefined : files[settings].path,
    ignored: ignored.map(({ path }) => path),
  };
}

const nothing = {
  weights: [],
  images: [],
  pictures: [],
  labels: undefined,
  settings: undefined,
  ignored: [],
};

test('weights, a set and the names of classes in one drop', async () => {
  expect(
    await sorted(
      file('net.pth'),
      packed('photos.zip', 'cat/1.jpg', 'dog/2.jpg'),
      file('labels.txt', text('cat\ndog\n')),
    ),
  ).toEqual({ ...nothing, weights: ['net.pth'], images: ['photos.zip'], labels: 'labels.txt' });
});

test('the shards of one network with their index, and what lies beside them', async () => {
  const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
  const drop = ['model.safetensors.index.json', ...shards, 'config.json', 'README.md', '.gitattributes'];
  expect(await sorted(...drop.map((name) => file(`net/${name}`, text('{}'))))).toEqual({
    ...nothing,
    weights: ['model.safetensors.index.json', ...shards].map((name) => `net/${name}`),
    ignored: ['net/config.json', 'net/README.md'],
  });
});

test('a folder of classes with an empty one, or a table of labels beside pictures, is a set', async () => {
  const folder = ['pets/cat/1.jpg', 'pets/dog/', 'pets/.DS_Store'];
  expect(await sorted(...folder.map((path) => file(path)))).toEqual({
    ...nothing,
    images: ['pets/cat/1.jpg', 'pets/dog/'],
  });
  expect(await sorted(file('1.jpg'), file('labels.csv'), file('2.png'))).toEqual({
    ...nothing,
    images: ['1.jpg', 'labels.csv', '2.png'],
  });
});

test("a set's own split goes with its images", async () => {
  const set = ['cub/images/a/1.jpg', 'cub/images/b/2.jpg', 'cub/images.txt', 'cub/train_test_split.txt'];
  expect(await sorted(...set.map((path) => file(path)))).toEqual({ ...nothing, images: set });
});

test('pictures without a class are to be predicted', async () => {
  expect(await sorted(file('a.jpg'), file('b.png'))).toEqual({ ...nothing, pictures: ['a.jpg', 'b.png'] });
});

test('content tells where names do not', async () => {
  const pickle = fixture('plain.pkl', 'checkpoints');
  expect(await sorted(file('pytorch_model.bin', pickle))).toEqual({
    ...nothing,
    weights: ['pytorch_model.bin'],
  });
  expect(await sorted(file('data_batch_1.bin', new Uint8Array(3073).fill(7)))).toEqual({
    ...nothing,
    images: ['data_batch_1.bin'],
  });
  expect(await sorted(packed('net.zip', 'net/model.pth'))).toEqual({ ...nothing, weights: ['net.zip'] });
  expect(await sorted(file('broken.zip'))).toEqual({ ...nothing, images: ['broken.zip'] });
});

test('JSON is settings, the names of classes or a table of labels', async () => {
  expect(await sorted(file('config.json', text('{"settings": {"lr": 0.1}}')))).toEqual({
    ...nothing,
    settings: 'config.json',
  });
  expect(await sorted(file('config.json', text('{"settings": {"lr"')))).toEqual({
    ...nothing,
    ignored: ['config.json'],
  });
  expect(await sorted(file('names.json', text('["cat", "dog"]')))).toEqual({
    ...nothing,
    labels: 'names.json',
  });
  expect(await sorted(file('labels.json', text('{"1.jpg": "cat"}')), file('1.jpg'))).toEqual({
    ...nothing,
    images: ['labels.json', '1.jpg'],
  });
});

test('what is none of these is named with the reason', async () => {
  const { ignored } = await sortFiles([file('notes.md'), file('paper.pdf')]);
  expect(ignored).toEqual(
    ['notes.md', 'paper.pdf'].map((path) => ({
      path,
      reason: 'it holds no weights, images, labels or settings that are known here',
    })),
  );
});

test('a folder that the command line left is a run, whatever lies in it; what is beside it is what it is', async () => {
  const names = [
    'config.json',
    'report.json',
    'metrics.jsonl',
    'merged.safetensors',
    'labels.txt',
    'note.md',
  ];
  const files = [
    ...names.map((name) => file(`runs/first/${name}`)),
    file('runs/second/config.json'),
    file('runs/second/checkpoint.0.safetensors'),
    // weights with their configuration are no run
    file('hub/config.json', text('{}')),
    file('hub/model.safetensors'),
  ];
  const { runFolders, weights, settings, labels, ignored } = await sortFiles(files);
  expect(runFolders).toEqual([
    { path: 'runs/first/', files: [0, 1, 2, 3, 4, 5] },
    { path: 'runs/second/', files: [6, 7] },
  ]);
  expect([weights, settings, labels]).toEqual([[9], undefined, undefined]);
  expect(ignored.map(({ path }) => path)).toEqual(['hub/config.json']);
  // picked one by one they have no folder
  expect((await sortFiles(names.map((name) => file(name)))).runFolders).toEqual([]);
});
