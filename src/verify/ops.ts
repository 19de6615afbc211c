import { ACTIVATIONS, type Activation, activation } from '../ops/activation';
import { batchNorm } from '../ops/batch-norm';
import { type ConvAttributes, conv2d } from '../ops/conv2d';
import { add } from '../ops/copy';
import type { Case, CaseGraph } from './case';

type Build = (g: CaseGraph, c: Case) => void;

const act =
  (kind: Activation): Build =>
  (g) =>
    g.output('y', activation(g.graph, 'y', g.activation('x'), kind));

const batchNormCase: Build = (g, c) => {
  const a = c.attrs as { training: boolean; momentum: number; eps: number };
  const p = {
    weight: g.vector('weight'),
    bias: g.vector('bias'),
    runningMean: g.state('running_mean'),
    runningVar: g.state('running_var'),
  };
  g.output('y', batchNorm(g.graph, 'y', g.activation('x'), p, { ...a, activation: 'none' }));
  if (!a.training) return;
  g.updated('running_mean');
  g.updated('running_var');
};

/** How each operation of the golden cases is built; a name that is not here is unknown. */
export const OPS: Record<string, Build> = {
  ...Object.fromEntries(Object.keys(ACTIVATIONS).map((kind) => [kind, act(kind as Activation)])),
  conv2d: (g, c) => {
    const a = c.attrs as unknown as ConvAttributes;
    g.output(
      'y',
      conv2d(g.graph, 'y', g.activation('x'), g.weight('weight', a.groups), g.optionalVector('bias'), a),
    );
  },
  batch_norm: batchNormCase,
  add: (g) => g.output('y', add(g.graph, 'y', g.activation('a'), g.activation('b'))),
};
