import { UserError } from '../errors';

/** What is wrong with a file, as a clause ("it ends in the middle of its header"); the reader adds the file. */
export class FormatError extends Error {
  override name = 'FormatError';
}

/** Runs `read`; a FormatError in it becomes the UserError "`subject`: clause; `advice`." */
export function explain<T>(subject: string, advice: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof FormatError) throw new UserError(`${subject}: ${error.message}; ${advice}.`);
    throw error;
  }
}

/** A name out of an untrusted file, fit for a message: quoted, escaped, cut. */
export function quote(name: string): string {
  return JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}...` : name);
}
