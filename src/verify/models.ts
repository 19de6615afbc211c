import * as v from 'valibot';
import { UserError } from '../errors';
import type { Gpu } from '../gpu/device';
import { floats, type StateDict, type StateTensor } from '../io/tensor';
import { uniforms } from '../model/random';
import { numbersOf } from '../model/state';
import { createModel } from '../model/zoo';
import { norm, relativeError, Worst } from './error';
import { type ModelRun, runModel } from './model-run';

const Attributes = v.object({
  arch: v.string(),
  kwargs: v.record(v.string(), v.unknown()),
  classes: v.pipe(v.number(), v.integer(), v.minValue(1)),
  method: v.picklist(['finetune', 'refocus']),
  optimizer: v.object({ lr: v.number(), momentum: v.number(), weight_decay: v.number() }),
  steps: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1000)),
});

/** A tensor that a case expects, and how far from it a result may be. */
interface Expectation {
  error(a: ArrayLike<number>, b: ArrayLike<number>): number;
  expected: ArrayLike<number>;
  tolerance: number;
  /** no rounding excuses it */
  exact: boolean;
}

interface ModelCase {
  run: Omit<ModelRun, 'path'>;
  method: 'finetune' | 'refocus';
  expectations: Map<string, Expectation>;
}

/**
 * Roundings of a case that are tried at most. Where a ReLU's input is within rounding of its kink, gradients jump, and
 * the weights of the steps after follow them: then float32 has several answers, and float64's is only one of them.
 */
const ROUNDINGS = 6;

/** Two roundings further apart than this prove nothing. */
const LARGEST_SPREAD = 0.1;

/**
 * A golden case of a whole network: logits in evaluation, then SGD steps on one batch (losses, the first step's
 * gradients, the merged network after the last). Under `refocus` the map is trained densely, which gives its gradient,
 * and then in the factored form, which must come to the same losses and the same network.
 *
 * What misses its tolerance is run again with images and weights changed in their last bits. It passes if one such
 * rounding meets the tolerance, or if it is as near to the expected tensor as the roundings are to each other. Logits
 * and the first loss have to pass as they are.
 * @returns the worst error as a multiple of its tolerance; a message with the tensor that it belongs to and those that
 * passed by another rounding only
 * @throws UserError where the case is none
 */
export async function verifyModel(
  gpu: Gpu,
  attrs: Record<string, unknown>,
  tensors: StateDict,
  metadata: ReadonlyMap<string, string>,
): Promise<{ error: number; message?: string }> {
  const c = caseOf(attrs, tensors, metadata);
  const worst = new Worst();
  const paths = c.method === 'finetune' ? (['plain'] as const) : (['dense', 'factored'] as const);
  const excused: string[] = [];
  for (const path of paths) await verifyPath(gpu, c, path, worst, excused);
  const note = excused.length > 0 ? `; only within float32's own spread: ${excused.join(', ')}` : '';
  return { error: worst.ratio, message: worst.message && worst.message + note };
}

function caseOf(
  attrs: Record<string, unknown>,
  tensors: StateDict,
  metadata: ReadonlyMap<string, string>,
): ModelCase {
  const parsed = v.safeParse(Attributes, attrs);
  if (!parsed.success)
    throw new UserError(`attribute ${v.getDotPath(parsed.issues[0])} is not as it should be`);
  const { arch, kwargs, classes, method, optimizer, steps } = parsed.output;
  const x = tensors.get('in.x');
  const target = tensors.get('in.target');
  if (x?.shape.length !== 4 || target?.shape.length !== 1)
    throw new UserError('in.x or in.target is missing');
  const state = new Map();
  for (const [key, tensor] of tensors) {
    if (key.startsWith('state.')) state.set(key.slice('state.'.length), tensor);
    else if (!/^(in|grad|out)\./.test(key))
      throw new UserError(`tensor ${key} is none of in, state, grad, out`);
  }
  const run = { model: createModel(arch, { classes, kwargs }), optimizer, steps, state, x, target };
  return { run, method, expectations: expectationsOf(tensors, metadata) };
}

function expectationsOf(tensors: StateDict, metadata: ReadonlyMap<string, string>): Map<string, Expectation> {
  const tolerance = (name: string) => Number(metadata.get(`rtol_${name}`));
  const gradients = [...tensors].filter(([key]) => key.startsWith('grad.'));
  const largest = gradients.reduce((max, [, t]) => Math.max(max, norm(numbersOf(t))), 0);
  const out = new Map<string, Expectation>();
  for (const [key, tensor] of tensors) {
    const expected = numbersOf(tensor);
    if (key.startsWith('grad.')) {
      // against one scale: some gradients are zero but for rounding
      const scale = norm(expected) + 1e-3 * largest;
      const error: Expectation['error'] = (a, b) => norm(a, b) / scale;
      out.set(key, { error, expected, tolerance: tolerance('grad'), exact: false });
    } else if (key.startsWith('out.')) {
      const exact = key === 'out.logits_eval' || key === 'out.loss_train';
      const loss = key === 'out.loss_train' || key === 'out.losses';
      out.set(key, { error: relativeError, expected, tolerance: tolerance(loss ? 'loss' : 'logits'), exact });
    }
  }
  return out;
}

async function verifyPath(
  gpu: Gpu,
  c: ModelCase,
  path: ModelRun['path'],
  worst: Worst,
  excused: string[],
): Promise<void> {
  const label = (key: string) => (path === 'factored' ? `${key} (factored)` : key);
  const first = await runModel(gpu, { ...c.run, path });
  const unsure = new Map<string, ArrayLike<number>[]>();
  for (const key of new Set([...c.expectations.keys(), ...first.keys()])) {
    const e = c.expectations.get(key);
    const got = first.get(key);
    // a fine-tuned case has no weights to compare, the factored path no gradients
    if (!e && key.startsWith('out.state.')) continue;
    if (!got && key.startsWith('grad.') && path === 'factored') continue;
    const error = e && got?.length === e.expected.length ? e.error(got, e.expected) : Number.NaN;
    if (e && got && !e.exact && error > e.tolerance) unsure.set(key, [got]);
    else worst.add(label(key), error, e?.tolerance ?? 1);
  }
  for (const [key, [got]] of unsure) {
    const { error, expected } = c.expectations.get(key)!;
    excused.push(`${label(key)} (error ${error(got, expected).toExponential(2)})`);
  }
  for (let rounding = 1; rounding < ROUNDINGS && unsure.size > 0; rounding++) {
    const results = await runModel(gpu, { ...roundedDifferently(c.run, rounding), path });
    for (const [key, runs] of unsure) {
      const e = c.expectations.get(key)!;
      const got = results.get(key)!;
      const error = e.error(got, e.expected);
      if (error > e.tolerance) runs.push(got);
      else {
        unsure.delete(key);
        worst.add(label(key), error, e.tolerance);
      }
    }
  }
  for (const [key, runs] of unsure) {
    const { error, expected, tolerance } = c.expectations.get(key)!;
    const nearest = Math.min(...runs.map((run) => error(run, expected)));
    const spread = Math.max(...runs.flatMap((a, i) => runs.slice(0, i).map((b) => error(a, b))));
    worst.add(
      `${label(key)}, nearest of ${ROUNDINGS} roundings`,
      nearest,
      Math.max(tolerance, Math.min(spread, LARGEST_SPREAD)),
    );
  }
}

/** The same run with images and weights changed by up to two units in their last place. */
function roundedDifferently<T extends Pick<ModelRun, 'state' | 'x'>>(run: T, rounding: number): T {
  const round = (tensor: StateTensor, name: string): StateTensor => {
    const uniform = uniforms(rounding, name);
    const data = Float32Array.from(numbersOf(tensor), (w) => w * (1 + (2 * uniform() - 1) * 2 ** -22));
    return floats(tensor.shape, data);
  };
  const state = new Map([...run.state].map(([name, tensor]) => [name, round(tensor, name)]));
  return { ...run, x: round(run.x, 'in.x'), state };
}
