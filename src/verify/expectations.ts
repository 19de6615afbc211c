import { UserError } from '../errors';
import type { StateDict } from '../io/tensor';
import { mergeState } from '../model/merge';
import type { Model, StateEntry } from '../model/model';
import { numbersOf } from '../model/state';
import { norm, relativeError } from './error';

/** A measure of one of a network's results against PyTorch's. */
export interface Expectation {
  /** the result's name */
  key: string;
  /** what the messages call the measure */
  label: string;
  expected: ArrayLike<number>;
  distance(a: ArrayLike<number>, b: ArrayLike<number>): number;
  tolerance: number;
  /**
   * What excuses a miss: nothing; float32's own spread, up to three tolerances; or, after steps, that spread however
   * large it is (see `Judgement`).
   */
  excuse: 'none' | 'near' | 'spread';
  /** what the jumps of one step, or of all, move together */
  part: 'gradients' | 'steps';
  /** the Euclidean length that counts as 1 */
  scale: number;
  /** of a gradient, or of a tensor that the steps moved, by more than rounding */
  direction?: Direction;
}

/** A direction along which the length of a tensor is judged: the expected gradient, or what the steps did. */
export interface Direction {
  /** what is computed by one rule, and so has one scale */
  group: string;
  of: ArrayLike<number>;
}

/** Gradients and updates that are zero but for rounding are measured against this share of the largest one. */
const FLOOR = 1e-3;

/** What storing a weight as float32 may do to it in a step, relative to the weight. */
const STORING = 2 ** -24;

/**
 * What a case expects of the runs: logits, losses, gradients, and of each tensor after the steps its numbers and how far
 * it moved. All of them: a case that leaves some out could not tell a wrong step from a right one.
 * @param trained the model that the steps train, RefConvs and all
 * @throws UserError where the case lacks a result of the network or holds another one
 */
export async function expectationsOf(
  tensors: StateDict,
  metadata: ReadonlyMap<string, string>,
  { trained, state, steps }: { trained: Model; state: StateDict; steps: number },
): Promise<Expectation[]> {
  if (![...tensors.keys()].some((key) => key.startsWith('out.state.')))
    throw new UserError(
      'the case lacks out.state.*, the (merged) network after its steps: make it again with them',
    );
  const given = (key: string, rtol: string, rest: Pick<Expectation, 'excuse' | 'part'>): Expectation => {
    const tensor = tensors.get(key);
    if (!tensor) throw new UserError(`the case lacks ${key}`);
    const tolerance = Number(metadata.get(rtol));
    if (!(tolerance > 0)) throw new UserError(`the metadata "${rtol}" is missing`);
    const expected = numbersOf(tensor);
    return {
      key,
      label: key,
      expected,
      distance: relativeError,
      tolerance,
      scale: norm(expected) || 1,
      ...rest,
    };
  };
  const parameters = trained.state.filter(({ role }) => role === 'parameter');
  const gradients = parameters.map(({ name }) =>
    given(`grad.${name}`, 'rtol_grad', { excuse: 'near', part: 'gradients' }),
  );
  const after = trained.state.filter(({ init }) => init !== 'map');
  const weights = after.map(({ name }) =>
    given(`out.state.${name}`, 'rtol_logits', { excuse: 'spread', part: 'steps' }),
  );
  const out = [
    given('out.logits_eval', 'rtol_logits', { excuse: 'none', part: 'steps' }),
    given('out.loss_train', 'rtol_loss', { excuse: 'none', part: 'steps' }),
    given('out.losses', 'rtol_loss', { excuse: 'near', part: 'steps' }),
    ...euclidean(gradients),
    ...weights,
  ];
  const known = new Set(out.map(({ key }) => key));
  for (const key of tensors.keys())
    if (/^(out|grad)\./.test(key) && !known.has(key))
      throw new UserError(`${key} is no result of ${trained.name}`);
  const before = await mergeState(trained, state);
  const tolerance = gradients[0].tolerance;
  return [...out, ...moves(after, weights, before, { tolerance, steps })];
}

/** Gradients by |a - b| / (|b| + a share of the largest |b|). */
function euclidean(gradients: Expectation[]): Expectation[] {
  const largest = Math.max(...gradients.map(({ scale }) => scale));
  return gradients.map((e) => {
    const length = norm(e.expected);
    const floor = FLOOR * largest;
    const scale = length + floor;
    const direction = { group: 'the gradients', of: e.expected };
    return { ...e, scale, distance: (a, b) => norm(a, b) / scale, ...(length > floor && { direction }) };
  });
}

/** How far each tensor moved, by the same measure. */
function moves(
  entries: StateEntry[],
  weights: Expectation[],
  before: StateDict,
  { tolerance, steps }: { tolerance: number; steps: number },
): Expectation[] {
  const changes = weights.map(({ expected }, i) => {
    const start = numbersOf(before.get(entries[i].name)!);
    return Float64Array.from(expected, (b, j) => b - start[j]);
  });
  const parameters = changes.filter((_, i) => entries[i].role !== 'state');
  const largest = Math.max(...parameters.map((change) => norm(change)));
  return weights.map((e, i) => {
    const { name, role, shape } = entries[i];
    const length = norm(changes[i]);
    const floor = FLOOR * largest + (steps * STORING * norm(e.expected)) / tolerance;
    const scale = length + floor;
    const leaf = name.slice(name.lastIndexOf('.') + 1);
    const group = `the steps of ${role !== 'state' && shape.length > 1 ? `${leaf} of layers` : leaf}`;
    return {
      ...e,
      label: `the steps of ${name}`,
      tolerance,
      excuse: 'spread',
      scale,
      distance: (a, b) => norm(a, b) / scale,
      ...(length > floor && { direction: { group, of: changes[i] } }),
    };
  });
}
