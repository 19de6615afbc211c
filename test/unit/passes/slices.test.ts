import { expect, test } from 'vitest';
import { differentiate } from '../../../src/graph/autograd';
import { Graph } from '../../../src/graph/graph';
import { sliceChannels } from '../../../src/ops/channels';
import { mul } from '../../../src/ops/mul';
import { joinSlices } from '../../../src/passes/slices';

/** What computes the gradient of a tensor of ten channels that is read in slices of these [start, length], each multiplied. */
function gradientOf(slices: readonly [number, number][]) {
  const graph = new Graph();
  const x = graph.tensor('x', [1, 2, 2, 10], { role: 'input' });
  const seeds = slices.map(([start, length], i) => {
    const part = sliceChannels(graph, `slice ${i}`, x, start, length);
    const factor = graph.tensor(`factor ${i}`, part.shape, { role: 'input' });
    const y = mul(graph, `product ${i}`, part, factor);
    return [y, graph.tensor(`d ${i}`, y.shape, { role: 'input' })] as const;
  });
  const gradient = differentiate(
    graph,
    [x],
    seeds.map(([y, dy]) => [y, dy]),
  ).get(x)!;
  joinSlices(graph);
  const nodes = graph.nodes.filter(({ op, phase }) => phase === 'backward' && op.name !== 'mul');
  const last = nodes.at(-1)!;
  expect(last.outputs.y).toBe(gradient);
  return { ops: nodes.map(({ op }) => op.name), inputs: Object.values(last.inputs).map((t) => t?.shape[3]) };
}

test('slices side by side have their gradients put side by side, in the order of channels', () => {
  expect(
    gradientOf([
      [3, 5],
      [0, 3],
      [8, 2],
    ]),
  ).toEqual({ ops: ['concat'], inputs: [3, 5, 2] });
});

test.each<[string, [number, number][]]>([
  [
    'a gap',
    [
      [0, 3],
      [4, 6],
    ],
  ],
  [
    'an overlap',
    [
      [0, 6],
      [5, 5],
    ],
  ],
  [
    'no beginning',
    [
      [1, 4],
      [5, 5],
    ],
  ],
  [
    'no end',
    [
      [0, 3],
      [3, 6],
    ],
  ],
  ['one slice', [[0, 10]]],
  [
    'a slice twice',
    [
      [0, 5],
      [5, 5],
      [5, 5],
    ],
  ],
])('%s: they are added', (_, slices) => {
  expect(gradientOf(slices).ops).toEqual(slices.map(() => 'gather_channels'));
});
