/** What the user has made of the classes of a set: new names, several under one, some left out. */
import type { Rename } from '../../data/rename';

/** The source's own names of each class, and of those that are left out under the empty name. */
export function madeOf(originals: readonly string[], rename: Rename): Map<string, string[]> {
  const made = new Map<string, string[]>();
  for (const name of originals) {
    const now = Object.hasOwn(rename, name) ? rename[name] : name;
    made.set(now, [...(made.get(now) ?? []), name]);
  }
  return made;
}

/** The new names after the classes of those own names are called `name`; the empty name leaves them out. */
export function renamedTo(rename: Rename, olds: readonly string[], name: string): Rename {
  const others = Object.entries(rename).filter(([old]) => !olds.includes(old));
  const changed = olds.filter((old) => old !== name).map((old) => [old, name]);
  return Object.fromEntries([...others, ...changed]);
}
