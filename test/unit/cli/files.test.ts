import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
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
