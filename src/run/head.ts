import { UserError } from '../errors';
import { floats, type StateDict, type StateTensor } from '../io/tensor';
import { headEntries, withHead } from '../model/heads';
import { initialState } from '../model/init';
import type { Model } from '../model/model';
import type { TrainSettings } from '../train/settings';
import { planHead, rowsOf, tells } from './head-plan';
import type { LoadedNetwork, OriginalWeights } from './loaded-network';

/** A network whose classifier tells the images' classes apart. */
export interface FittedNetwork extends LoadedNetwork {
  /** names in the order of the classifier's rows */
  classes: readonly string[];
  /** its classifier starts from new numbers: it has no accuracy to begin with */
  newHead: boolean;
}

/**
 * Fits a network's classifier to the images' classes. Classes that both know by name keep their rows, in the images'
 * order; without names the rows are taken as they are where there are as many. Else, or where asked for, the classifier
 * starts anew as PyTorch starts it, all else stays.
 * @throws UserError where the classifier is to be kept, and cannot tell these classes
 */
export function fitHead(
  network: LoadedNetwork,
  classes: readonly string[],
  { head, seed, method }: Pick<TrainSettings, 'head' | 'seed' | 'method'>,
): FittedNetwork {
  const { model, headless, file, classes: known } = network;
  const count = model.head.classes;
  const classifier = { count, classes: known, headless };
  if (tells(classifier, classes, head)) return { ...network, classes, newHead: false };
  const plan = planHead(classifier, classes, head);
  if (plan === 'rows') return keepRows(network, classes, rowsOf(known!, classes)!);
  if (plan === 'kept') {
    const unnamed = `${file} does not name its classes: its rows are taken in the order of the images' ${named(classes, classes.length)}; a list of its classes (--labels) tells another.`;
    return {
      ...network,
      classes,
      newHead: false,
      notes: known ? network.notes : [...network.notes, unnamed],
    };
  }
  if (plan === 'refused') {
    throw new UserError(
      `${file} ${headless ? 'has no classifier' : `tells ${named(known, count)} apart`}, the images have ${named(classes, classes.length)}: let it have a new head (head: auto), or use images of its own classes.`,
    );
  }
  const fitted = withHead(model, classes.length);
  const entries = headEntries(model);
  const fresh = new Map([...initialState(fitted, seed)].filter(([name]) => entries.has(name)));
  const was = headless ? 'has no classifier' : `tells ${named(known, count)} apart`;
  const note = `${file} ${was}, the images have ${named(classes, classes.length)}: its classifier ${model.head.name} starts anew, ${method === 'retrain' ? 'and all else too, by the method retrain' : 'all else is kept'}.`;
  return {
    ...network,
    model: fitted,
    state: new Map([...network.state, ...fresh]),
    original: withRows(network.original, model, fresh),
    classes,
    newHead: true,
    notes: [...network.notes, note],
  };
}

function keepRows(network: LoadedNetwork, classes: readonly string[], rows: number[]): FittedNetwork {
  const { model, state, file, classes: known } = network;
  const kept: StateDict = new Map();
  for (const name of headEntries(model)) {
    const tensor = state.get(name);
    if (tensor) kept.set(name, pickRows(tensor, rows));
  }
  const note =
    rows.length === known?.length
      ? `The classes of ${file} are put into the images' order.`
      : `Of the ${known?.length} classes of ${file} the images have ${named(classes, classes.length)}: the classifier keeps their rows.`;
  return {
    ...network,
    model: withHead(model, rows.length),
    state: new Map([...state, ...kept]),
    original: withRows(network.original, model, kept),
    classes,
    newHead: false,
    notes: [...network.notes, note],
  };
}

function pickRows({ shape, data }: StateTensor, rows: readonly number[]): StateTensor {
  const numbers = data as Float32Array<ArrayBuffer>;
  const size = numbers.length / shape[0];
  const out = new Float32Array(rows.length * size);
  rows.forEach((row, i) => {
    out.set(numbers.subarray(row * size, (row + 1) * size), i * size);
  });
  return floats([rows.length, ...shape.slice(1)], out);
}

/**
 * The file's description with the classifier's tensors in their new shape; one without a classifier gets its publisher's names
 * and the type of its other numbers.
 */
function withRows(original: OriginalWeights, model: Model, head: StateDict): OriginalWeights {
  const { weights, names, prefix } = original;
  const tensors = new Map(weights.tensors);
  const type = [...tensors.values()].find(({ dtype }) => /^B?F/.test(dtype))?.dtype ?? 'F32';
  const all = new Map(names);
  const keyOf = new Map([...names].map(([key, name]) => [name, key]));
  for (const [name, { shape, data }] of head) {
    const key = keyOf.get(name) ?? `${prefix}${original.head}${name.slice(model.head.name.length)}`;
    const old = tensors.get(key);
    all.set(key, name);
    tensors.set(key, {
      dtype: old?.dtype ?? type,
      shape: old ? [shape[0], ...old.shape.slice(1)] : shape,
      data,
    });
  }
  return { ...original, weights: { ...weights, tensors }, names: all };
}

/** "3 classes (a, b, c)". */
export function named(classes: readonly string[] | undefined, count: number): string {
  const number = `${count.toLocaleString('en')} ${count === 1 ? 'class' : 'classes'}`;
  if (!classes) return number;
  const shown = classes.slice(0, 5).map((name) => name.slice(0, 40));
  return `${number} (${shown.join(', ')}${classes.length > 5 ? ', ...' : ''})`;
}
