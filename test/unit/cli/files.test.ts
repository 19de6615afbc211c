import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readUserFile, readUserFiles } from '../../../src/cli/files';
import { UserError } from '../../../src/errors';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refocus-files-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a file from 4 GiB on is refused by its size, alone and in a folder', async () => {
  const path = join(folder, 'large.pth');
  await writeFile(path, 'x');
  await truncate(path, 2 ** 32 - 1);
  expect((await readUserFile(path)).blob.size).toBe(2 ** 32 - 1);
  await truncate(path, 5 * 2 ** 30);
  await expect(readUserFile(path)).rejects.toThrow(UserError);
  await expect(readUserFile(path)).rejects.toThrow(
    /large\.pth is 5\.0 GiB large, .*torch\.save\(model\.state_dict\(\)/,
  );
  await expect(readUserFiles([folder])).rejects.toThrow(/large\.pth is 5\.0 GiB large/);
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
