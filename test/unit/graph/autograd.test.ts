import { expect, test } from 'vitest';
import { differentiate } from '../../../src/graph/autograd';
import { Graph } from '../../../src/graph/graph';
import { activation } from '../../../src/ops/activation';
import { add } from '../../../src/ops/add';
import { linear } from '../../../src/ops/conv/linear';

/** A graph with images `x` and a gradient of their shape. */
function graphOf(channels: number) {
  const g = new Graph();
  const input = (name: string) => g.tensor(name, [2, 1, 1, channels], { role: 'input' });
  return { g, x: input('x'), dy: input('dy') };
}

const weightOf = (g: Graph, name: string, channels: number) =>
  g.tensor(name, [1, 1, channels, channels], { role: 'parameter' });

const backward = (g: Graph) => g.nodes.filter((n) => n.phase === 'backward');

test('what two nodes read gets a gradient from each, the later one added as it is written', () => {
  const { g, x, dy } = graphOf(4);
  const y = add(g, 'sum', activation(g, 'a', x, 'relu'), activation(g, 'b', x, 'silu'));
  const dx = differentiate(g, [x], [[y, dy]]).get(x)!;
  const [b, a] = backward(g);
  expect([b.name, b.inputs.dy, b.inputs.addend]).toEqual(['b', dy, undefined]);
  expect([a.name, a.inputs.dy, a.inputs.addend]).toEqual(['a', dy, b.outputs.dx]);
  expect(a.outputs.dx).toBe(dx);
});

test('an addition passes its gradient on without a node', () => {
  const { g, x, dy } = graphOf(4);
  const y = add(g, 'sum', x, activation(g, 'a', x, 'none'));
  const dx = differentiate(g, [x], [[y, dy]]).get(x)!;
  // the activation's gradient came first, and the addition's own is written with it
  expect(backward(g).map((n) => n.op.name)).toEqual(['activation_backward']);
  expect(backward(g)[0].inputs.addend).toBe(dy);
  expect(backward(g)[0].outputs.dx).toBe(dx);
});

test('only what is wanted is differentiated, on the way to it', () => {
  const { g, x, dy } = graphOf(4);
  const [first, second] = [weightOf(g, 'first', 4), weightOf(g, 'second', 4)];
  const h = linear(g, 'first', x, first, undefined);
  const y = linear(g, 'second', h, second, undefined);
  const gradients = differentiate(g, [second], [[y, dy]]);
  expect(backward(g).map(({ op, name }) => `${op.name} ${name}`)).toEqual(['conv2d_backward_weight second']);
  expect(gradients.get(second)).toBe(g.find('gradient', 'second'));
  expect(gradients.has(first)).toBe(false);
});

test('a parameter that two nodes read is refused by name', () => {
  const { g, x, dy } = graphOf(4);
  const shared = weightOf(g, 'shared', 4);
  const y = linear(g, 'b', linear(g, 'a', x, shared, undefined), shared, undefined);
  expect(() => differentiate(g, [shared], [[y, dy]])).toThrow(/parameter shared is used twice/);
});
