import { ACTIVATIONS, type Activation, activation } from '../ops/activation';
import { type ConvAttributes, conv2d } from '../ops/conv2d';
import { add } from '../ops/copy';
import type { Case, CaseGraph } from './case';

type Build = (g: CaseGraph, c: Case) => void;

const act =
  (kind: Activation): Build =>
  (g) =>
    g.output('y', activation(g.graph, 'y', g.activation('x'), kind));

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
  add: (g) => g.output('y', add(g.graph, 'y', g.activation('a'), g.activation('b'))),
};
