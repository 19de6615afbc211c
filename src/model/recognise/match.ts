import { type Dialect, renameModules } from './dialect';

export type Shape = readonly number[];

/** What a network's state dict has to hold, in order. */
export interface Wanted {
  entries: readonly { name: string; shape: Shape }[];
  /** the classifier's module; its first dimension is the number of classes, which is the file's to say */
  head: string;
}

/** A tensor that both have, in other shapes. */
export interface Mismatch {
  /** the file's name */
  key: string;
  /** the network's name */
  name: string;
  file: Shape;
  network: Shape;
}

/** How the keys of a file fit a network. */
export interface Match {
  dialect: Dialect;
  /** what was taken off the names before they fitted */
  prefix: string;
  /** the network's name of each key that fits */
  names: Map<string, string>;
  mismatched: Mismatch[];
  /** entries of the network that the file lacks, the head apart */
  missing: { name: string; shape: Shape }[];
  /** keys that the network has no use for, PyTorch's counters apart */
  unused: string[];
  /** rows of the head in the file; absent where the file has no head */
  classes?: number;
  /** the file has a head of several layers, which is none of the network's: the module of its first */
  layeredHead?: string;
}

const LEAF = /\.(convmap\.weight|weight|bias|running_mean|running_var|num_batches_tracked)$/;
/** A refocusing map, `<conv>.convmap.weight`: its layer's, whatever its shape. */
const MAP = /\.convmap\.weight$/;
const COUNTER = /(^|\.)num_batches_tracked$/;

/** `features.0.1` and `.weight`; a parameter of a block itself (a layer scale) is a module without a leaf. */
function parts(key: string): [module: string, leaf: string] {
  const leaf = LEAF.exec(key)?.[0] ?? '';
  return [key.slice(0, key.length - leaf.length), leaf];
}

/** The module that a tensor of a state dict belongs to. */
export const moduleOf = (key: string): string => parts(key)[0];

/** The modules of a state dict, each once, in its order. */
export const modulesOf = (keys: Iterable<string>): string[] => [...new Set([...keys].map(moduleOf))];

/** A linear layer may be stored as a 1 x 1 convolution, a layer scale or a response norm's numbers as a vector. */
export const sameNumbers = (a: Shape, b: Shape): boolean => trimmed(a).join() === trimmed(b).join();

function trimmed(shape: Shape): Shape {
  let [start, end] = [0, shape.length];
  while (end > 1 && shape[end - 1] === 1) end--;
  while (end - start > 1 && shape[start] === 1) start++;
  return shape.slice(start, end);
}

/** Fits the keys of a state dict to a network's, under one dialect and with one prefix taken off. */
export function matchState(
  shapes: ReadonlyMap<string, Shape>,
  prefix: string,
  dialect: Dialect,
  { entries, head }: Wanted,
): Match {
  const keys = [...shapes.keys()].filter((key) => key.startsWith(prefix) && key.length > prefix.length);
  const bare = keys.map((key) => key.slice(prefix.length));
  const wanted = new Map(entries.map(({ name, shape }) => [name, shape]));
  const renamed = renameModules(dialect, modulesOf(bare), modulesOf(wanted.keys()));
  const match: Match = { dialect, prefix, names: new Map(), mismatched: [], missing: [], unused: [] };
  const taken = new Set<string>();
  const take = (key: string, name: string) => {
    const [module, leaf] = parts(name);
    if (MAP.test(name) && wanted.has(name.replace(MAP, '.weight'))) {
      match.names.set(key, name);
      return;
    }
    const shape = wanted.get(name);
    const found = shapes.get(key)!;
    if (!shape || taken.has(name)) return;
    if (module === head) {
      if (!sameNumbers(found.slice(1), shape.slice(1))) return;
      if (leaf === '.weight') match.classes = found[0];
    } else if (!sameNumbers(found, shape)) {
      match.mismatched.push({ key, name, file: found, network: shape });
      taken.add(name);
      return;
    }
    match.names.set(key, name);
    taken.add(name);
  };
  keys.forEach((key, i) => {
    const [module, leaf] = parts(bare[i]);
    take(key, `${renamed.get(module) ?? module}${leaf}`);
  });
  // a classifier of several layers may stand beside what the prefix wraps
  for (const name of wanted.keys()) if (!name.startsWith(prefix) && shapes.has(name)) take(name, name);
  // one of the two alone is no classifier
  const isWhole = [...wanted.keys()].every((name) => parts(name)[0] !== head || taken.has(name));
  if (!isWhole) {
    withoutHead(match, head);
    findHead(shapes, wanted, head, match);
  }
  const { classes } = match;
  if (classes !== undefined && isTakenOn(shapes, match, classes))
    match.layeredHead = withoutHead(match, head);
  match.missing = entries.filter(({ name }) => !taken.has(name) && parts(name)[0] !== head);
  const refused = new Set(match.mismatched.map(({ key }) => key));
  match.unused = [...shapes.keys()].filter(
    (key) => !match.names.has(key) && !refused.has(key) && !COUNTER.test(key),
  );
  return match;
}

/** Takes the head out of a match; tells its module in the file. */
function withoutHead(match: Match, head: string): string | undefined {
  match.classes = undefined;
  const keys = [...match.names].filter(([, name]) => parts(name)[0] === head).map(([key]) => key);
  for (const key of keys) match.names.delete(key);
  return keys.length > 0 ? parts(keys[0])[0] : undefined;
}

/** Whether what a head gives goes into another linear layer: it is the first layer of several then. */
const isTakenOn = (shapes: ReadonlyMap<string, Shape>, { names }: Match, classes: number): boolean =>
  [...shapes].some(
    ([key, shape]) =>
      key.endsWith('.weight') && !names.has(key) && shape.length === 2 && shape[1] === classes,
  );

/** A head under a name of its own: the one matrix that is left over and takes the network's features, with its bias. */
function findHead(
  shapes: ReadonlyMap<string, Shape>,
  wanted: ReadonlyMap<string, Shape>,
  head: string,
  match: Match,
): void {
  const features = wanted.get(`${head}.weight`)!.slice(1);
  const candidates = [...shapes].filter(
    ([key, shape]) =>
      !match.names.has(key) &&
      key.endsWith('.weight') &&
      shape.length > 1 &&
      sameNumbers(shape.slice(1), features),
  );
  if (candidates.length !== 1) return;
  const [[key, shape]] = candidates;
  const [classes] = shape;
  // a convolution with others beside it is a neck's, and what it gives goes on
  const others = [...shapes].filter(([k, s]) => k !== key && !match.names.has(k) && s.length === 4);
  if (shape.length === 4 && others.length > 0) return;
  const bias = key.replace(/weight$/, 'bias');
  if (shapes.get(bias)?.join() !== String(classes)) return;
  match.names.set(key, `${head}.weight`).set(bias, `${head}.bias`);
  match.classes = classes;
}
