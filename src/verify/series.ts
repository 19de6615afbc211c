import * as v from 'valibot';
import { UserError } from '../errors';
import type { Gpu } from '../gpu/device';
import { compile } from '../graph/compile';
import { Graph } from '../graph/graph';
import type { ArenaLayout } from '../graph/ir';
import { placePersistent } from '../graph/memory';
import { pack, unpack, vectorLayout } from '../model/layout';
import { adamCorrections, adamw } from '../ops/optim/adamw';
import { sgd } from '../ops/optim/sgd';
import { Session } from '../runtime/session';
import type { StepUniform } from '../runtime/step';
import { learningRate } from '../train/schedule';
import { adamwAttributes, attributesOf, count, notNegative, sgdOf } from './attributes';
import type { Case } from './case';

type Series = (gpu: Gpu, c: Case) => Promise<Map<string, ArrayLike<number>>>;

/** The golden cases whose result is a course over several steps; results by name, as in `CaseGraph.run`. */
export const SERIES: Record<string, Series> = {
  sgd: (gpu, c) => {
    const { lr, ...options } = sgdOf('sgd', c.attrs);
    return descend(
      gpu,
      c,
      (g) => sgd(g, { ...options, clipNorm: 0 }),
      () => ({ lr }),
    );
  },
  adamw: (gpu, c) => {
    const { lr, betas, eps, weight_decay } = attributesOf('adamw', adamwAttributes, c.attrs);
    const [beta1, beta2] = betas;
    return descend(
      gpu,
      c,
      (g) => adamw(g, { beta1, beta2, eps, weightDecay: weight_decay, clipNorm: 0 }),
      (step) => ({ lr, ...adamCorrections(step + 1, { beta1, beta2 }) }),
    );
  },
  lr_warmup_cosine: async (_, c) => {
    const a = attributesOf('lr_warmup_cosine', scheduleAttributes, c.attrs);
    const schedule = {
      kind: 'cosine',
      lr: a.base_lr,
      steps: a.steps,
      warmupSteps: a.warmup_steps,
      minLr: a.min_lr,
      startFactor: a.start_factor,
    } as const;
    const lr = Array.from({ length: a.steps }, (_, step) => learningRate(schedule, step));
    return new Map([['out.lr', lr]]);
  },
};

const scheduleAttributes = v.strictObject({
  steps: count,
  warmup_steps: notNegative,
  base_lr: notNegative,
  min_lr: notNegative,
  start_factor: notNegative,
});

/** Steps of an optimiser on one vector with given gradients; the vector after each step. */
async function descend(
  gpu: Gpu,
  { op, inputs: { param, grads, ...others } }: Case,
  optimizer: (g: Graph) => void,
  uniform: (step: number) => StepUniform,
): Promise<Map<string, Float32Array>> {
  const [other] = Object.keys(others);
  if (other) throw new UserError(`${op} has no input ${other} here, but the case holds in.${other}`);
  if (!param || !grads) throw new UserError('in.param or in.grads is missing');
  if (grads.data.length !== grads.shape[0] * param.data.length)
    throw new UserError(`in.grads of [${grads.shape}] holds no gradients of in.param of [${param.shape}]`);
  const layout = vectorLayout(param.shape);
  const graph = new Graph();
  const places: ArenaLayout = {};
  const parameter = graph.tensor('p', param.shape, { role: 'parameter', padded: layout.padded });
  // no dispatch binds the vector or its gradient by name: give them their places
  const at = placePersistent(parameter, places);
  placePersistent(graph.gradientOf(parameter), places);
  optimizer(graph);
  const session = await Session.create(gpu, {
    step: compile(graph, { layout: places, tuning: gpu.tuning }),
  });
  try {
    const [steps] = grads.shape;
    const size = param.data.length;
    session.write('arena:parameters', pack(param.data, layout));
    const trajectory = new Float32Array(steps * size);
    for (let step = 0; step < steps; step++) {
      const gradient = Array.from({ length: size }, (_, i) => grads.data[step * size + i]);
      session.write('arena:gradients', pack(gradient, layout));
      session.run('step', uniform(step));
      const [p] = await session.readRanges([at]);
      trajectory.set(unpack(p, layout), step * size);
    }
    return new Map([['out.params', trajectory]]);
  } finally {
    session.destroy();
  }
}
