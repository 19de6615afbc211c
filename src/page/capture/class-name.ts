/** Names of classes that become folders of an image set. */
import { partNamed } from '../../data/layout/names';
import { normal } from '../../data/rename';

const MOST = 100;
/** What a path would be cut at, or cleaned of. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
const NO_NAME = /[/\\\u0000-\u001f\u007f\u202a-\u202e\u2066-\u2069]/;
/** Folders that every reader of image sets passes over. */
const HIDDEN = /^(\.|__MACOSX$|@eaDir$|\$RECYCLE\.BIN$|System Volume Information$)/i;

/** Why a class cannot have that name; undefined where it can. */
export function classNameFault(name: string, others: readonly string[]): string | undefined {
  if (name.trim() === '') return 'Give the class a name.';
  if (name.length > MOST) return `A name has at most ${MOST} characters.`;
  if (NO_NAME.test(name)) return 'A name is one line without / and \\.';
  if (HIDDEN.test(name)) return `'${name}' would be a hidden folder: give it another name.`;
  if (partNamed(name)) return `'${name}' would be taken for a part of the set: give it another name.`;
  if (others.some((other) => normal(other) === normal(name))) return 'There is a class of that name.';
  return undefined;
}

/** `Class 1`, or the first number that is free. */
export function freeName(others: readonly string[]): string {
  for (let i = 1; ; i++) if (!others.includes(`Class ${i}`)) return `Class ${i}`;
}
