import type { Gpu } from '../gpu/device';
import { floats, type StateDict, type StateTensor } from '../io/tensor';
import { uniforms } from '../model/random';
import { numbersOf } from '../model/state';
import type { Expectation } from './expectations';
import { type Finding, Judgement } from './judgement';
import { modelCaseOf } from './model-case';
import { type ModelRun, runModel } from './model-run';

/**
 * How much images and weights are changed where float32 has several answers, as shares of themselves: by two units in the
 * last place and more. Every change comes with its opposite, so that what the one moves over a ReLU's kink the other
 * leaves on its side.
 */
const CHANGES = [-21, -20, -22, -21, -20].map((power) => 2 ** power).flatMap((change) => [change, -change]);

/**
 * A golden case of a whole network: logits in evaluation, then SGD steps on one batch (losses, the first step's
 * gradients, the merged network after the last). Under `refocus` the map is trained densely, which gives its gradient,
 * and then in the factored form, which must come to the same losses and the same network.
 *
 * What misses its tolerance is run again with images and weights changed in their last bits (see `Judgement`).
 * @throws UserError where the case is none
 */
export async function verifyModel(
  gpu: Gpu,
  attrs: unknown,
  tensors: StateDict,
  metadata: ReadonlyMap<string, string>,
): Promise<Finding[]> {
  const { run, method, expectations } = await modelCaseOf(attrs, tensors, metadata);
  if (method === 'finetune') return verifyPath(gpu, { ...run, path: 'plain' }, expectations);
  // the factored form has no gradient of the map
  const steps = expectations.filter(({ part }) => part === 'steps');
  const dense = await verifyPath(gpu, { ...run, path: 'dense' }, expectations);
  const factored = await verifyPath(gpu, { ...run, path: 'factored' }, steps);
  return [...dense, ...factored.map((f) => ({ ...f, label: `${f.label} (factored)` }))];
}

async function verifyPath(gpu: Gpu, run: ModelRun, expectations: readonly Expectation[]): Promise<Finding[]> {
  const judgement = new Judgement(expectations, await runModel(gpu, run));
  for (const [i, share] of CHANGES.entries()) {
    if (judgement.isSettled) break;
    judgement.add(await runModel(gpu, changed(run, 1 + Math.floor(i / 2), share)));
  }
  return judgement.outcome;
}

/** The same run from images and weights changed by up to that share of themselves. */
function changed<T extends Pick<ModelRun, 'state' | 'x'>>(run: T, seed: number, share: number): T {
  const change = (tensor: StateTensor, name: string): StateTensor => {
    const uniform = uniforms(seed, name);
    const data = Float32Array.from(numbersOf(tensor), (w) => w * (1 + (2 * uniform() - 1) * share));
    return floats(tensor.shape, data);
  };
  const state = new Map([...run.state].map(([name, tensor]) => [name, change(tensor, name)]));
  return { ...run, x: change(run.x, 'in.x'), state };
}
