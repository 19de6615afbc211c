import { readFile } from 'node:fs/promises';
import { UserError } from '../errors';

/** @throws UserError where it cannot be read or is no JSON */
export async function readJson(file: string): Promise<unknown> {
  let content: string;
  try {
    content = await readFile(file, 'utf8');
  } catch (error) {
    throw new UserError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
  try {
    return JSON.parse(content);
  } catch (error) {
    throw new UserError(`${file} is no JSON (${(error as Error).message}).`);
  }
}
