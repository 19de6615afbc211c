import { UserError } from '../errors';

/** What is wrong with a file, as a clause ("it ends in the middle of its header"); the reader adds the file. */
export class FormatError extends Error {
  override name = 'FormatError';
}

/** Why a whole file is refused for what it is, as a predicate with the next step ("is an ONNX model; ..."). */
export class Refusal extends Error {
  override name = 'Refusal';
}

/** Runs `read`; a FormatError in it becomes the UserError "`subject`: clause; `advice`." */
export function explain<T>(subject: string, advice: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw explained(error, subject, advice);
  }
}

/** `explain` for what reads as it goes. */
export async function explainAsync<T>(subject: string, advice: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw explained(error, subject, advice);
  }
}

function explained(error: unknown, subject: string, advice: string): unknown {
  if (error instanceof FormatError) return new UserError(`${subject}: ${error.message}; ${advice}.`);
  return error;
}

/** Runs `read` for `file`; a Refusal in it, or a file that is gone, becomes a UserError that names the file. */
export async function nameFile<T>(file: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Refusal) throw new UserError(`${file} ${error.message}.`);
    if (error instanceof Error && error.name === 'NotReadableError') {
      throw new UserError(
        `${file} can no longer be read, as if it had been moved or changed; choose it again.`,
      );
    }
    throw error;
  }
}

/** A name out of an untrusted file, fit for a message: quoted, escaped, cut. */
export function quote(name: string): string {
  return JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}...` : name);
}
