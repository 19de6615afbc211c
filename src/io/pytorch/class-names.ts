import { type PickleValue, Placeholder } from './pickle-values';

/** Names of classes that stand beside the weights in a checkpoint, in the order of the classifier's rows. */
export interface FoundClasses {
  /** the key that they stand under */
  key: string;
  names: string[];
}

/** A dict of numbers by name, as torchvision's ImageFolder has it. */
const NUMBERS = /^(class|label|cat|category)_?(to|2)_?(idx|id|index)$/i;
/** A dict of names by number. */
const NAMES = /^((idx|id|index)_?(to|2)_?(class|label|cat|category)|names)$/i;
/** A list of names. */
const LISTS = /^(classes|class_names|classnames|labels|label_names|categories|names)$/i;
const MAX_DEPTH = 3;
const MAX_CLASSES = 100_000;
const MAX_NAME = 500;

/** All that names classes in what a checkpoint holds, the outermost first. */
export function findClasses(root: PickleValue): FoundClasses[] {
  const found: FoundClasses[] = [];
  let level: PickleValue[] = [root];
  for (let depth = 0; depth <= MAX_DEPTH; depth++) {
    const below: PickleValue[] = [];
    for (const value of level) {
      const dict = value instanceof Map ? value : value instanceof Placeholder ? value.items : undefined;
      if (!dict || dict.size > MAX_CLASSES) continue;
      for (const [key, item] of dict) {
        if (typeof key !== 'string') continue;
        const names = namesOf(key, item);
        if (names) found.push({ key, names });
        else below.push(item);
      }
    }
    level = below;
  }
  return found;
}

function namesOf(key: string, value: PickleValue): string[] | undefined {
  let rows: [PickleValue, PickleValue][];
  if (value instanceof Map && value.size <= MAX_CLASSES && NUMBERS.test(key))
    rows = [...value].map(([name, row]) => [row, name]);
  else if (value instanceof Map && value.size <= MAX_CLASSES && NAMES.test(key)) rows = [...value];
  else if (Array.isArray(value) && value.length <= MAX_CLASSES && LISTS.test(key))
    rows = [...value.entries()];
  else return undefined;
  const names: string[] = [];
  for (const [row, name] of rows) {
    const at = typeof row === 'string' && /^\d+$/.test(row) ? Number(row) : row;
    if (typeof name !== 'string' || name === '' || name.length > MAX_NAME) return undefined;
    if (typeof at !== 'number' || !Number.isInteger(at) || at < 0 || at >= rows.length) return undefined;
    names[at] = name;
  }
  // every row has a name of its own
  return names.length > 0 && new Set(names).size === rows.length ? names : undefined;
}
