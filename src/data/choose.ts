import { UserError } from '../errors';
import type { Candidates } from './candidates';
import { byCodePoint } from './files/tree';
import { type ClassOrder, orderClasses, quoted } from './layout/class-order';
import { normal } from './rename';
import { selectBalanced } from './select';
import type { LoadOptions, SkippedFile, Use } from './types';

/** Which parts of a source are loaded, and what for. */
export interface Choice {
  train?: Candidates;
  test?: Candidates;
  /** test images are to be held out of the training images */
  holdsOut: boolean;
  unused: Candidates[];
}

/** A part alone is the whole source, whatever its name. Throws a UserError where nothing is there to train with. */
export function chooseParts(source: string, parts: Candidates[], use: Use): Choice {
  if (parts.length === 1) {
    return use === 'test'
      ? { test: parts[0], holdsOut: false, unused: [] }
      : { train: parts[0], holdsOut: use === 'both', unused: [] };
  }
  const [train, val, test] = (['train', 'val', 'test'] as const).map((name) =>
    parts.find(({ part }) => part === name),
  );
  const chosen = {
    train: use === 'test' ? undefined : train,
    test: use === 'both' ? (val ?? test) : use === 'test' ? (test ?? val) : undefined,
  };
  if (use !== 'test' && !train) {
    throw new UserError(
      `${source} has the parts val and test, but no train: add it, or choose the training images apart.`,
    );
  }
  return {
    ...chosen,
    holdsOut: false,
    unused: parts.filter((part) => part !== chosen.train && part !== chosen.test),
  };
}

/**
 * The classes in order: those given, else those of the training part, else of what there is. Throws a UserError if there are
 * fewer than two, if a class has no image, or if none of the given classes is there.
 */
export function classesOf(
  source: string,
  parts: Candidates[],
  choice: Choice,
  given: string[] | undefined,
  order: ClassOrder,
): string[] {
  if (given) {
    const found = [...new Set((choice.train ?? choice.test)?.labels)].sort(byCodePoint);
    const known = new Set(given.map(normal));
    if (found.some((name) => known.has(normal(name)))) return given;
    throw new UserError(
      `${source} has none of the training images' classes: it has ${quoted(found)}, they are ${quoted(given)}; give both the same class names (rename; labels, where the first are those of weights).`,
    );
  }
  const own = parts.find(({ part }) => part === 'train') ?? choice.train ?? choice.test;
  if (!own) return [];
  const [empty] = own.empty;
  if (empty !== undefined) {
    throw new UserError(
      `Class '${empty}' of ${source} has no image; put images into that folder or remove it.`,
    );
  }
  const classes = own.classes && order === 'name' ? own.classes : orderClasses(own.labels, order, source);
  if (classes.length < 2) {
    const one = classes.length === 1 ? ` ('${classes[0]}')` : '';
    throw new UserError(
      `${source} has ${classes.length === 1 ? 'one class only' : 'no class'}${one}; sort the images into a folder for each class, at least two, or add a CSV with columns filename and label.`,
    );
  }
  return classes;
}

/** Throws a UserError where all images of a part that tests are of other classes than those that are trained. */
export function requireKnownClasses(
  source: string,
  { candidates, chosen }: Selection,
  classes: string[],
): void {
  if (chosen.length > 0 || candidates.labels.length === 0) return;
  const found = [...new Set(candidates.labels)].sort(byCodePoint);
  throw new UserError(
    `Part ${candidates.part} of ${source} has none of the training images' classes: it has ${quoted(found)}, they are ${quoted(classes)}; give both the same class names (rename; labels, where the first are those of weights).`,
  );
}

/** The images of a part that are decoded, in order of class, then as they come. */
export interface Selection {
  candidates: Candidates;
  /** indices among the candidates, and the class of each */
  chosen: number[];
  labels: number[];
  /** images whose class is not among the classes */
  leftOut: SkippedFile[];
  /** images of the classes, before the limit */
  available: number;
}

export function selectImages(
  candidates: Candidates,
  classes: string[],
  { limit = 0, seed = 0 }: Pick<LoadOptions, 'limit' | 'seed'>,
): Selection {
  const exact = new Map(classes.map((name, i) => [name, i]));
  // a Mac writes accents apart from their letters
  const similar = new Map(classes.map((name, i) => [normal(name), i]));
  const known: { i: number; label: number }[] = [];
  const leftOut: SkippedFile[] = [];
  for (const [i, name] of candidates.labels.entries()) {
    const label = exact.get(name) ?? similar.get(normal(name));
    if (label !== undefined) known.push({ i, label });
    else
      leftOut.push({
        path: candidates.path(i),
        reason: `class '${name}' is not among the training images' classes`,
      });
  }
  if (!candidates.classes) known.sort((a, b) => a.label - b.label);
  const labels = known.map(({ label }) => label);
  const picked = selectBalanced(labels, limit, seed);
  return {
    candidates,
    chosen: picked.map((k) => known[k].i),
    labels: picked.map((k) => labels[k]),
    leftOut,
    available: known.length,
  };
}
