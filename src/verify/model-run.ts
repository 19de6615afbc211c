import type { Gpu } from '../gpu/device';
import { differentiate } from '../graph/autograd';
import { compile } from '../graph/compile';
import { Graph } from '../graph/graph';
import type { Plan } from '../graph/ir';
import type { Tensor } from '../graph/tensor';
import type { Tuning } from '../graph/tuning';
import type { StateDict, StateTensor } from '../io/tensor';
import { instantiate } from '../model/instantiate';
import { activationLayout, engineShape, pack, unpack } from '../model/layout';
import { mergeState } from '../model/merge';
import type { Model } from '../model/model';
import { readState } from '../model/read-state';
import { withRefConv } from '../model/refconv';
import { loadState, numbersOf } from '../model/state';
import { copy } from '../ops/copy';
import { crossEntropy } from '../ops/loss/cross-entropy';
import { sgd } from '../ops/optim/sgd';
import { standardPasses } from '../passes/standard';
import { Session } from '../runtime/session';

/** What a case of a whole network starts from. */
export interface ModelRun {
  model: Model;
  /** how the convolutions are trained: as they are, or as RefConvs */
  path: 'plain' | 'dense' | 'factored';
  optimizer: { lr: number; momentum: number; weightDecay: number; nesterov: boolean };
  steps: number;
  state: StateDict;
  x: StateTensor;
  target: StateTensor;
}

type Results = Map<string, ArrayLike<number>>;
type ModelSession = Session<'evaluate' | 'train'>;

/**
 * Runs a network on the GPU: logits in evaluation, then SGD steps on one batch. Results in PyTorch's shapes: `out.logits_eval`,
 * `out.loss_train`, the first step's `grad.*` (not on the factored path, which has none of the map), `out.losses`, and
 * the merged network after the last step, `out.state.*`.
 */
export async function runModel(gpu: Gpu, c: ModelRun): Promise<Results> {
  const model = modelOf(c);
  const { evaluate, train } = programs(model, c, gpu.tuning);
  const session: ModelSession = await Session.create(gpu, { evaluate, train });
  const results: Results = new Map();
  const rows = c.x.shape[0];
  try {
    loadState(session, model, c.state, 'the state of the case');
    session.write('input:x', pack(numbersOf(c.x), activationLayout(c.x.shape)));
    session.write('input:target', Uint32Array.from(numbersOf(c.target)));
    session.run('evaluate');
    const [logits] = await session.read('output:logits');
    results.set('out.logits_eval', unpack(logits, activationLayout([rows, model.head.classes])));

    const losses: number[] = [];
    for (let step = 0; step < c.steps; step++) {
      session.run('train', { step, rows, lr: c.optimizer.lr });
      losses.push((await session.read('output:loss'))[0][0]);
      if (step === 0 && c.path !== 'factored') await readGradients(session, model, results);
    }
    results.set('out.loss_train', losses.slice(0, 1));
    results.set('out.losses', losses);
    const snapshot = await session.snapshot('parameters', 'state');
    const trained = await readState(snapshot, model, c.state);
    for (const [name, tensor] of await mergeState(model, trained))
      results.set(`out.state.${name}`, numbersOf(tensor));
    return results;
  } finally {
    session.destroy();
  }
}

async function readGradients(session: ModelSession, model: Model, results: Results): Promise<void> {
  const entries = model.state.filter((e) => e.role === 'parameter');
  const read = await session.read(...entries.map((e) => `gradient:${e.name}`));
  entries.forEach(({ name, layout }, i) => {
    results.set(`grad.${name}`, unpack(read[i], layout));
  });
}

/** Builds both graphs over one layout of the arenas. */
function programs(model: Model, c: ModelRun, tuning: Tuning): { evaluate: Plan; train: Plan } {
  const layout = {};
  const evaluation = build(model, c, false);
  output(evaluation.graph, 'logits', evaluation.logits);
  const { graph, logits } = build(model, c, true);
  const shape = c.target.shape;
  const target = graph.tensor('target', shape, { role: 'input', dtype: 'u32', padded: shape });
  const { loss, dlogits } = crossEntropy(graph, 'loss', logits, target, {
    labelSmoothing: 0,
    metrics: false,
  });
  output(graph, 'loss', loss);
  const parameters = graph.tensors.filter((t) => t.role === 'parameter');
  differentiate(graph, parameters, [[logits, dlogits]]);
  const { lr: _, ...options } = c.optimizer;
  sgd(graph, { ...options, clipNorm: 0 });
  const how = { passes: standardPasses(), layout, tuning };
  return { evaluate: compile(evaluation.graph, how), train: compile(graph, how) };
}

/** The model as a path trains it. */
export const modelOf = ({ model, path }: Pick<ModelRun, 'model' | 'path'>): Model =>
  path === 'plain'
    ? model
    : withRefConv(model, {
        layers: 'spatial',
        mapKernel: 3,
        identity: true,
        trainBasis: false,
        path,
        startsNonZero: true,
      });

function build(model: Model, c: ModelRun, training: boolean) {
  const graph = new Graph();
  const layout = activationLayout(c.x.shape);
  const x = graph.tensor('x', engineShape(layout), { role: 'input', padded: layout.padded });
  return { graph, ...instantiate(model, graph, x, { training, deterministic: true }) };
}

function output(graph: Graph, name: string, t: Tensor): void {
  copy(graph, name, t, graph.tensor(name, t.shape, { role: 'output', padded: t.padded }));
}
