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
import type { Case } from './case';

type Series = (gpu: Gpu, c: Case) => Promise<Map<string, ArrayLike<number>>>;

/** The golden cases whose result is a course over several steps; results by name, as in `CaseGraph.run`. */
export const SERIES: Record<string, Series> = {
  sgd: (gpu, c) => {
    const { lr, momentum = 0, weight_decay = 0, nesterov = false } = c.attrs as SgdAttributes;
    return descend(
      gpu,
      c,
      (g) => sgd(g, { momentum, nesterov, weightDecay: weight_decay, clipNorm: 0 }),
      () => ({ lr }),
    );
  },
  adamw: (gpu, c) => {
    const { lr, betas, eps, weight_decay } = c.attrs as unknown as AdamWAttributes;
    const [beta1, beta2] = betas;
    return descend(
      gpu,
      c,
      (g) => adamw(g, { beta1, beta2, eps, weightDecay: weight_decay, clipNorm: 0 }),
      (step) => ({ lr, ...adamCorrections(step + 1, { beta1, beta2 }) }),
    );
  },
  lr_warmup_cosine: async (_, c) => {
    const a = c.attrs as Record<string, number>;
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

interface SgdAttributes extends Record<string, unknown> {
  lr: number;
  momentum?: number;
  weight_decay?: number;
  nesterov?: boolean;
}

interface AdamWAttributes {
  lr: number;
  betas: [number, number];
  eps: number;
  weight_decay: number;
}

/** Steps of an optimiser on one vector with given gradients; the vector after each step. */
async function descend(
  gpu: Gpu,
  { inputs: { param, grads } }: Case,
  optimizer: (g: Graph) => void,
  uniform: (step: number) => StepUniform,
): Promise<Map<string, Float32Array>> {
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
    const [steps, size] = grads.shape;
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
