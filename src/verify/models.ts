import * as v from 'valibot';
import { UserError } from '../errors';
import type { Gpu } from '../gpu/device';
import { GradientTape } from '../graph/autograd';
import { Graph } from '../graph/graph';
import { buildPlan, type Plan } from '../graph/plan';
import type { Tensor } from '../graph/tensor';
import { activationLayout, pack, unpack } from '../nn/layout';
import { mergeState } from '../nn/merge';
import { architecture } from '../nn/models';
import { type Architecture, Net } from '../nn/net';
import type { RefConvOptions } from '../nn/refconv';
import { loadState, numbersOf, readState, type StateTensor, type StateTensors } from '../nn/state';
import { copy } from '../ops/copy';
import { crossEntropy } from '../ops/cross-entropy';
import { fuse } from '../ops/fusion';
import { sgd } from '../ops/optimizer';
import { Session } from '../runtime/session';
import { norm, relativeError, Worst } from './error';

const Attributes = v.object({
  arch: v.string(),
  kwargs: v.record(v.string(), v.unknown()),
  classes: v.pipe(v.number(), v.integer(), v.minValue(1)),
  method: v.picklist(['finetune', 'refocus']),
  optimizer: v.object({ lr: v.number(), momentum: v.number(), weight_decay: v.number() }),
  steps: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1000)),
});

interface ModelCase extends v.InferOutput<typeof Attributes> {
  architecture: Architecture;
  state: StateTensors;
  x: StateTensor;
  target: StateTensor;
  gradients: Map<string, ArrayLike<number>>;
  results: Map<string, ArrayLike<number>>;
  tolerance: { logits: number; gradient: number; loss: number };
}

/**
 * A golden case of a whole network: logits in evaluation, then SGD steps on one batch (losses, the first step's
 * gradients, the merged network after the last). Under `refocus` the map is trained densely, which gives its gradient,
 * and then in the factored form, which must come to the same losses and the same network.
 * @returns the worst error as a multiple of its tolerance, and the tensor that it belongs to
 * @throws UserError where the case is none
 */
export async function verifyModel(
  gpu: Gpu,
  attrs: Record<string, unknown>,
  tensors: Map<string, StateTensor>,
  metadata: ReadonlyMap<string, string>,
): Promise<{ error: number; message?: string }> {
  const c = caseOf(attrs, tensors, metadata);
  const worst = new Worst();
  if (c.method === 'finetune') await check(gpu, c, undefined, worst);
  else for (const path of ['dense', 'factored'] as const) await check(gpu, c, path, worst);
  return { error: worst.ratio, message: worst.message };
}

function caseOf(
  attrs: Record<string, unknown>,
  tensors: Map<string, StateTensor>,
  metadata: ReadonlyMap<string, string>,
): ModelCase {
  const parsed = v.safeParse(Attributes, attrs);
  if (!parsed.success)
    throw new UserError(`attribute ${v.getDotPath(parsed.issues[0])} is not as it should be`);
  const a = parsed.output;
  const tolerance = (name: string) => Number(metadata.get(`rtol_${name}`));
  const x = tensors.get('in.x');
  const target = tensors.get('in.target');
  if (x?.shape.length !== 4 || target?.shape.length !== 1)
    throw new UserError('in.x or in.target is missing');
  const c: ModelCase = {
    ...a,
    architecture: architecture(a.arch, { classes: a.classes, kwargs: a.kwargs }),
    state: new Map(),
    x,
    target,
    gradients: new Map(),
    results: new Map(),
    tolerance: { logits: tolerance('logits'), gradient: tolerance('grad'), loss: tolerance('loss') },
  };
  for (const [key, tensor] of tensors) {
    const [, kind, name] = /^(in|state|grad|out)\.(.*)$/s.exec(key) ?? [];
    if (kind === 'state') c.state.set(name, tensor);
    else if (kind === 'grad') c.gradients.set(name, numbersOf(tensor));
    else if (kind === 'out') c.results.set(name, numbersOf(tensor));
    else if (kind === undefined) throw new UserError(`tensor ${key} is none of in, state, grad, out`);
  }
  return c;
}

type Path = 'dense' | 'factored' | undefined;

interface Programs {
  net: Net;
  evaluate: Plan;
  train: Plan;
}

/** Builds both graphs: everything that a case compares is an output, a parameter or a gradient. */
function programs(c: ModelCase, path: Path): Programs {
  const refconv: RefConvOptions | undefined = path && {
    layers: 'spatial',
    mapKernel: 3,
    identity: true,
    trainBasis: false,
    path,
    startsNonZero: true,
  };
  const layout = {};
  const build = (training: boolean) => {
    const graph = new Graph();
    const { view, order, padded } = activationLayout(c.x.shape);
    const shape = order.map((d) => view[d]);
    const x = graph.tensor('x', shape, { role: 'input', padded });
    const net = new Net(graph, { training, deterministic: true, refconv });
    return { graph, net, logits: c.architecture(net, x) };
  };
  const output = (graph: Graph, name: string, t: Tensor) =>
    copy(graph, name, t, graph.tensor(name, t.shape, { role: 'output', padded: t.padded }));

  const evaluation = build(false);
  output(evaluation.graph, 'logits', evaluation.logits);
  const { graph, net, logits } = build(true);
  const target = graph.tensor('target', c.target.shape, {
    role: 'input',
    dtype: 'u32',
    padded: c.target.shape,
  });
  const { loss, dlogits } = crossEntropy(graph, 'loss', logits, target, {
    labelSmoothing: 0,
    metrics: false,
  });
  output(graph, 'loss', loss);
  new GradientTape(
    graph,
    graph.tensors.filter((t) => t.role === 'parameter'),
  ).run([[logits, dlogits]]);
  graph.phase = 'update';
  const { momentum, weight_decay: weightDecay } = c.optimizer;
  sgd(graph, { momentum, weightDecay, nesterov: false, clipNorm: 0 });
  fuse(evaluation.graph);
  fuse(graph);
  return { net, evaluate: buildPlan(evaluation.graph, layout), train: buildPlan(graph, layout) };
}

async function check(gpu: Gpu, c: ModelCase, path: Path, worst: Worst): Promise<void> {
  const { net, evaluate, train } = programs(c, path);
  const session: Session<'evaluate' | 'train'> = await Session.create(gpu, { evaluate, train });
  const label = (name: string) => (path === 'factored' ? `${name} (factored)` : name);
  const expect = (name: string, got: ArrayLike<number>, tolerance: number) => {
    const expected = c.results.get(name);
    const fits = expected !== undefined && expected.length === got.length;
    worst.add(label(`out.${name}`), fits ? relativeError(got, expected) : Number.NaN, tolerance);
  };
  try {
    loadState(session, net, c.state, 'the state of the case');
    session.write('input:x', pack(numbersOf(c.x), activationLayout(c.x.shape)));
    session.write('input:target', Uint32Array.from(numbersOf(c.target)));

    session.run('evaluate');
    const [logits] = await session.read('output:logits');
    const rows = c.x.shape[0];
    expect('logits_eval', unpack(logits, activationLayout([rows, c.classes])), c.tolerance.logits);

    const losses: number[] = [];
    for (let step = 0; step < c.steps; step++) {
      session.run('train', { step, rows, lr: c.optimizer.lr });
      losses.push((await session.read('output:loss'))[0][0]);
      if (step === 0 && path !== 'factored') await checkGradients(session, net, c, worst);
    }
    expect('loss_train', losses.slice(0, 1), c.tolerance.loss);
    expect('losses', losses, c.tolerance.loss);
    const states = [...c.results.keys()].filter((name) => name.startsWith('state.'));
    if (states.length === 0) return;
    const snapshot = await session.snapshot('parameters', 'state');
    const merged = mergeState(net, readState(snapshot, net, c.state));
    for (const name of states) {
      const tensor = merged.get(name.slice('state.'.length));
      expect(name, tensor ? numbersOf(tensor) : [], c.tolerance.logits);
    }
  } finally {
    session.destroy();
  }
}

/** Every gradient that the case has, against one scale: some are zero but for rounding. */
async function checkGradients(
  session: Session<'evaluate' | 'train'>,
  net: Net,
  { gradients, tolerance }: ModelCase,
  worst: Worst,
): Promise<void> {
  const largest = Math.max(...[...gradients.values()].map((g) => norm(g)));
  const entries = net.state.filter((e) => e.role === 'parameter');
  const read = await session.read(...entries.map((e) => `gradient:${e.name}`));
  const got = new Map(entries.map((e, i) => [e.name, unpack(read[i], e.layout)]));
  for (const name of new Set([...gradients.keys(), ...got.keys()])) {
    const [a, b] = [got.get(name), gradients.get(name)];
    const error = a && b?.length === a.length ? norm(a, b) / (norm(b) + 1e-3 * largest) : Number.NaN;
    worst.add(`grad.${name}`, error, tolerance.gradient);
  }
}
