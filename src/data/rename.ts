import { UserError } from '../errors';
import type { Candidates } from './candidates';
import { byCodePoint } from './files/tree';
import { quoted } from './layout/class-order';

/** New names of classes by their old ones: those that get the same name become one class, the empty name leaves a class out. */
export type Rename = Readonly<Record<string, string>>;

/** Names that look the same are the same: a Mac writes accents apart from their letters. */
export const normal = (name: string): string => name.normalize('NFC');

/**
 * The parts of a source under the new names of their classes, all at once, so that two classes may change names.
 * @param isComplete whether the source has to have every class that is named, as the training images have
 * @throws UserError where it has not, or where no class is left
 */
export function renameClasses(
  source: string,
  parts: Candidates[],
  rename: Rename,
  isComplete: boolean,
): { parts: Candidates[]; notes: string[] } {
  const names = new Map(Object.entries(rename).map(([from, to]) => [normal(from), to]));
  if (names.size === 0) return { parts, notes: [] };
  const found = namesOf(parts);
  const known = new Set(found.map(normal));
  const unknown = Object.keys(rename).filter((name) => !known.has(normal(name)));
  if (isComplete && unknown.length > 0)
    throw new UserError(
      `${source} has no class ${quoted(unknown)} to rename; its classes are ${quoted(found)}.`,
    );
  const newName = (name: string) => names.get(normal(name)) ?? name;
  if (isComplete && found.every((name) => newName(name) === ''))
    throw new UserError(`All classes of ${source} are left out; keep two at least.`);
  return {
    parts: parts.map((part) => renamed(part, newName)),
    notes: notesOf(parts, found, newName),
  };
}

/** The classes' own names, in order. */
export function namesOf(parts: readonly Candidates[]): string[] {
  const own = parts.find(({ classes }) => classes)?.classes;
  return own ?? [...new Set(parts.flatMap(({ labels, empty }) => [...labels, ...empty]))].sort(byCodePoint);
}

function renamed(candidates: Candidates, newName: (name: string) => string): Candidates {
  const { part, labels, classes, empty } = candidates;
  const kept = [...labels.keys()].filter((i) => newName(labels[i]) !== '');
  const of = (chosen: number[]) => chosen.map((i) => kept[i]);
  const all = (names: readonly string[]) => [...new Set(names.map(newName).filter((name) => name !== ''))];
  const newLabels = kept.map((i) => newName(labels[i]));
  const filled = new Set(newLabels);
  return {
    part,
    labels: newLabels,
    classes: classes && all(classes),
    empty: all(empty).filter((name) => !filled.has(name)),
    size: (chosen, options) => candidates.size(of(chosen), options),
    look: (chosen, options) => candidates.look(of(chosen), options),
    pack: (chosen, indices, options) => candidates.pack(of(chosen), indices, options),
    bytes: (chosen) => candidates.bytes(of(chosen)),
    path: (i) => candidates.path(kept[i]),
  };
}

/** What became of the classes, a sentence each. */
function notesOf(parts: readonly Candidates[], found: string[], newName: (name: string) => string): string[] {
  const olds = new Map<string, string[]>();
  for (const name of found) olds.set(newName(name), [...(olds.get(newName(name)) ?? []), name]);
  const merged = [...olds].filter(([name, from]) => name !== '' && from.length > 1);
  const changed = [...olds].filter(([name, from]) => name !== '' && from.length === 1 && from[0] !== name);
  const leftOut = olds.get('') ?? [];
  const images = parts.reduce(
    (sum, { labels }) => sum + labels.filter((name) => newName(name) === '').length,
    0,
  );
  return [
    ...merged.map(([name, from]) => `Classes ${quoted(from)} are one, '${name}'.`),
    ...(changed.length > 0
      ? [`Renamed: ${quoted(changed.map(([name, [from]]) => `${from}' to '${name}`))}.`]
      : []),
    ...(leftOut.length > 0 ? [`Left out: ${quoted(leftOut)}, ${images} images.`] : []),
  ];
}
