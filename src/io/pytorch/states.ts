import { FormatError, quote, Refusal } from '../format-error';
import { isAveraged } from '../prefix';
import { madeBy, StorageRef, shown, TensorRef, UnreadableTensor } from './globals';
import { PickleGlobal, type PickleValue, Placeholder } from './pickle-values';

/** A state dict in a checkpoint. */
export interface FoundState {
  /** its keys from the top, joined by dots; '' for the top itself */
  name: string;
  tensors: Map<string, TensorRef>;
  /** why an entry of it cannot be read, as a predicate */
  unreadable: Map<string, string>;
}

/** Where training scripts put the weights, the likeliest first; weights that were averaged come after those that were trained. */
const WRAPPERS = [
  'state_dict',
  'model_state_dict',
  'model',
  'net',
  'network',
  'module',
  'params',
  'weights',
  'student',
  'state_dict_ema',
  'model_ema_state_dict',
  'ema_state_dict',
  'model_ema',
  'params_ema',
  'ema_model',
  'ema',
  'teacher',
];
/** What else training leaves tensors in. */
const OTHERS = /optim|sched|scaler|^amp$|rng|^loops$|hyper_parameters/i;
const MAX_DEPTH = 5;
/**
 * Entries that are looked at, long names counting more: dicts that share dicts are many in a few bytes, and each of their
 * names repeats the names above it.
 */
const MAX_ENTRIES = 1_000_000;
const NAME_LENGTH = 64;
const MAX_STATES = 64;

/**
 * All state dicts in what a checkpoint holds, the likeliest first: each dict with tensors by name, below the names that
 * training scripts use or any others, but for an optimiser's. A dict of dicts is also taken as one state dict whose
 * names are joined by dots. Throws a Refusal where a whole object is in its place, and a FormatError if there is none.
 */
export function findStates(root: PickleValue): FoundState[] {
  const finder = new Finder();
  finder.visit(root, []);
  const { found } = finder;
  if (found.length === 0) refuse(root);
  const largest = Math.max(...found.map(elements));
  // a best accuracy and a metric's counters are tensors too
  const states = found.filter(
    (state) => !isMadeOf(state, found) && (lastKey(state) || 100 * elements(state) >= largest),
  );
  return states.sort((a, b) => rank(a) - rank(b));
}

/** Whether a dict of dicts has nothing beside one of them. */
function isMadeOf({ name, tensors }: FoundState, found: readonly FoundState[]): boolean {
  const below = name === '' ? '' : `${name}.`;
  return found.some((s) => s.name !== name && s.name.startsWith(below) && s.tensors.size === tensors.size);
}

/** By the wrapper's place in the list, averaged weights after all that were trained. */
function rank(state: FoundState): number {
  const place = WRAPPERS.indexOf(lastKey(state) ?? '');
  return (place >= 0 ? place : WRAPPERS.length) + (isAveraged(state.name) ? WRAPPERS.length + 1 : 0);
}

/** The wrapper that a state dict stands right below. */
function lastKey({ name }: FoundState): string | undefined {
  return WRAPPERS.find((key) => name === key || name.endsWith(`.${key}`));
}

function elements({ tensors }: FoundState): number {
  return [...tensors.values()].reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
}

class Finder {
  readonly found: FoundState[] = [];
  private readonly seen = new Set<PickleValue>();
  private budget = MAX_ENTRIES;

  visit(value: PickleValue, path: string[]): void {
    const dict = asDict(value);
    if (!dict || path.length > MAX_DEPTH || this.seen.has(value) || this.found.length >= MAX_STATES) return;
    this.seen.add(value);
    const state: FoundState = { name: path.join('.'), tensors: new Map(), unreadable: new Map() };
    this.collect(dict, '', state, path.length);
    // the parts of a module in a dict of dicts (`weight`, `bias`) are no state dict by themselves
    const whole =
      path.length === 0 || isWrapper(path.at(-1)!) || [...state.tensors.keys()].some((n) => n.includes('.'));
    if (whole && state.tensors.size + state.unreadable.size > 0) this.found.push(state);
    for (const [key, item] of dict)
      if (typeof key === 'string' && !OTHERS.test(key)) this.visit(item, [...path, key]);
  }

  private collect(
    dict: Map<PickleValue, PickleValue>,
    before: string,
    into: FoundState,
    depth: number,
  ): void {
    for (const [key, item] of dict) {
      if (typeof key !== 'string') continue;
      this.budget -= 1 + (before.length + key.length) / NAME_LENGTH;
      if (this.budget < 0) throw new FormatError('it holds too many things by name');
      const inner = asDict(item);
      const reason = inner ? undefined : unreadable(item);
      if (item instanceof TensorRef) into.tensors.set(before + key, item);
      else if (reason) into.unreadable.set(before + key, reason);
      else if (inner && depth < MAX_DEPTH && !isWrapper(key) && !OTHERS.test(key))
        this.collect(inner, `${before}${key}.`, into, depth + 1);
    }
  }
}

const isWrapper = (key: string) => WRAPPERS.includes(key);

/** A dict, an object of an unknown class of dicts, or a tuple of a few dicts that were saved together. */
function asDict(value: PickleValue | undefined): Map<PickleValue, PickleValue> | undefined {
  if (value instanceof Map) return value;
  if (value instanceof Placeholder) return value.items;
  if (Array.isArray(value) && value.length <= 8 && value.some((item) => item instanceof Map))
    return new Map(value.map((item, i) => [`${i}`, item]));
  return undefined;
}

/** Why an entry that looks like a tensor is none that can be read. */
function unreadable(value: PickleValue): string | undefined {
  if (value instanceof UnreadableTensor) return value.reason;
  if (value instanceof Placeholder) {
    const holdsTensor = value.args.some((arg) => arg instanceof StorageRef || arg instanceof TensorRef);
    return holdsTensor ? madeBy(value.name) : undefined;
  }
  if (!Array.isArray(value)) return undefined;
  // the packed parameters of a quantised layer: a tuple of weight and bias
  return value.find((item): item is UnreadableTensor => item instanceof UnreadableTensor)?.reason;
}

function refuse(root: PickleValue): never {
  const within = root instanceof Map ? [...root.values()] : [];
  const values = [
    root,
    ...within,
    ...within.flatMap((value) => (value instanceof Map ? [...value.values()] : [])),
  ];
  const network = values.find((value): value is Placeholder => isModule(value));
  if (network) {
    throw new Refusal(
      `holds a whole network, an object of the Python class ${shown(network.name)}, whose code is not run; in PyTorch, save its weights alone: torch.save(model.state_dict(), path)`,
    );
  }
  if (root instanceof Placeholder || root instanceof PickleGlobal) {
    throw new Refusal(
      `holds the Python object ${shown(root.name)} instead of a dict of tensors, and it was not run; in PyTorch, save model.state_dict() alone`,
    );
  }
  if (values.some((value) => value instanceof Placeholder && value.name.startsWith('numpy.'))) {
    throw new Refusal(
      'holds NumPy arrays instead of tensors; make a tensor of each by torch.from_numpy and save the dict of them again',
    );
  }
  const keys = root instanceof Map ? [...root.keys()].slice(0, 8).map((key) => quote(String(key))) : [];
  throw new FormatError(`it holds no tensors by name${keys.length > 0 ? `, only ${keys.join(', ')}` : ''}`);
}

/** Whether a value has the attributes of torch.nn.Module. */
function isModule(value: PickleValue): boolean {
  return value instanceof Placeholder && value.state instanceof Map && value.state.has('_modules');
}
