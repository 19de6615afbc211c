import { appendFile, mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readUserFile, readUserFiles, readWeightFiles } from '../../../src/cli/files';
import { UserError } from '../../../src/errors';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refocus-files-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a file is read in parts, from 4 GiB on too', async () => {
  const path = join(folder, 'large.zip');
  const size = 5 * 2 ** 30;
  await writeFile(path, 'begin');
  await truncate(path, size);
  await appendFile(path, 'end');
  const { blob } = await readUserFile(path);
  expect(blob).toBeInstanceOf(Blob);
  expect(blob.size).toBe(size + 3);
  expect(await blob.slice(0, 5).text()).toBe('begin');
  expect(await blob.slice(-3).text()).toBe('end');
  const tail = blob.slice(size - 10);
  expect([tail.size, await tail.slice(10, 99).text()]).toEqual([13, 'end']);
  expect(await tail.slice(12, 11).text()).toBe('');
  expect(await new Response(tail.slice(11).stream()).text()).toBe('nd');
  expect(await new Response(tail.slice(1, 1).stream()).text()).toBe('');
  expect(await blob.slice(1, 4).slice(1, -1).text()).toBe('g');
});

test.each(['changed', 'taken away'])('a file that is %s after it was chosen cannot be read', async (how) => {
  const path = join(folder, 'image.png');
  await writeFile(path, 'first');
  const { blob } = await readUserFile(path);
  expect(await blob.text()).toBe('first');
  if (how === 'changed') await writeFile(path, 'another');
  else await rm(path);
  await expect(blob.arrayBuffer()).rejects.toMatchObject({ name: 'NotReadableError' });
});

test('folders are walked in order, links followed, empty folders and links to nothing kept', async () => {
  const set = join(folder, 'set');
  await mkdir(join(set, 'b', 'deep'), { recursive: true });
  await mkdir(join(set, 'empty'));
  await mkdir(join(folder, 'elsewhere', 'x'), { recursive: true });
  await writeFile(join(folder, 'elsewhere', 'x', '1.png'), 'far');
  await writeFile(join(set, 'b', '2.png'), 'two');
  await writeFile(join(set, 'b', 'deep', '3.png'), 'three');
  await symlink(join(folder, 'elsewhere', 'x'), join(set, 'a'));
  // the same folder twice is no cycle
  await symlink('a', join(set, 'again'));
  await symlink('b/2.png', join(set, 'link.png'));
  await symlink('nowhere', join(set, 'none.png'));
  const files = await readUserFiles([set]);
  const found = await Promise.all(files.map(async ({ path, blob }) => [path, await blob.text()]));
  expect(found).toEqual([
    ['set/a/1.png', 'far'],
    ['set/again/1.png', 'far'],
    ['set/b/2.png', 'two'],
    ['set/b/deep/3.png', 'three'],
    ['set/empty/', ''],
    ['set/link.png', 'two'],
    ['set/none.png', ''],
  ]);
});

test('a link to a folder that holds it is refused', async () => {
  const set = join(folder, 'cycle');
  await mkdir(join(set, 'a'), { recursive: true });
  await symlink('..', join(set, 'a', 'up'));
  const error = await readUserFiles([set]).catch((reason) => reason);
  expect(error).toBeInstanceOf(UserError);
  expect(error.message).toContain(`${join(set, 'a', 'up')} is a link to a folder that it lies in`);
});

test('a name that is not UTF-8 is refused with what helps', async () => {
  await writeFile(
    Buffer.concat([Buffer.from(`${folder}/caf`), Buffer.from([0xe9]), Buffer.from('.png')]),
    '',
  );
  await expect(readUserFiles([folder])).rejects.toThrow(UserError);
  await expect(readUserFiles([folder])).rejects.toThrow(/caf\ufffd\.png has a name that is not UTF-8/);
});

test('shards are found beside their index, or beside one of them', async () => {
  const names = [1, 2, 3].map((i) => `model-0000${i}-of-00003.safetensors`);
  for (const name of names) await writeFile(join(folder, name), name);
  await writeFile(join(folder, 'other.safetensors'), '');
  const index = join(folder, 'model.safetensors.index.json');
  // a name that leads out of the folder is looked for within it
  await writeFile(index, JSON.stringify({ weight_map: { a: names[0], b: `../../${names[2]}`, c: 'gone' } }));
  const namesOf = async (path: string) => (await readWeightFiles(path)).map((file) => file.path);
  expect(await namesOf(index)).toEqual(['model.safetensors.index.json', names[0], names[2]]);
  expect(await namesOf(join(folder, names[1]))).toEqual([names[1], names[0], names[2]]);
  expect(await namesOf(join(folder, 'other.safetensors'))).toEqual(['other.safetensors']);
  expect(await readWeightFiles(folder)).toHaveLength(5);
});
