/** Words of commands that are printed to be pasted into a shell. */
import { sep } from 'node:path';

const PLAIN = sep === '\\' ? /^[\p{L}\p{M}\p{N}_@%+=:,./\\-]+$/u : /^[\p{L}\p{M}\p{N}_@%+=:,./-]+$/u;

/** A path as a shell takes it for one word: in single quotes where it has spaces, or characters that mean something to it. */
export const shellWord = (path: string): string =>
  PLAIN.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
