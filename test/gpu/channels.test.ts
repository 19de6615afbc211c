import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/errors';
import type { Pass } from '../../src/graph/compile';
import { Graph } from '../../src/graph/graph';
import { BLOCK_ORDERS } from '../../src/model/onnx/blocks';
import { add } from '../../src/ops/add';
import { concat, depthToSpace, shuffleChannels, sliceChannels, subsample } from '../../src/ops/channels';
import { linear } from '../../src/ops/conv/linear';
import { mul } from '../../src/ops/mul';
import { standardPasses } from '../../src/passes/standard';
import { at, image, type ValueMap, type Values } from '../reference/values';
import { checkOp, draw } from './check-op';

describe('broadcast multiply', () => {
  test.each([[[1, 1, 1, 1]], [[2, 7, 4, 6]], [[3, 8, 1, 5]], [[1, 5, 9, 8]]])(
    'by a factor a channel and image, %j',
    async (shape) => {
      for (const addend of [undefined, 'a', 'b']) {
        await checkOp({
          inputs: { a: draw(shape), b: draw([shape[0], shape[1], 1, 1]) },
          reference: ({ a, b }) => ({
            y: image(shape, (n, c, h, w) => a.data[at(a, n, c, h, w)] * b.data[at(b, n, c, 0, 0)]),
          }),
          build: (g) => g.output('y', mul(g.graph, 'y', g.activation('a'), g.activation('b'))),
          wrt: ['a', 'b'],
          addend,
        });
      }
    },
  );

  test.each([[[1, 1, 1, 1]], [[3, 6, 5, 7]]])('by a vector, %j', async (shape) => {
    await checkOp({
      inputs: { a: draw(shape), b: draw([shape[1], 1, 1]) },
      reference: ({ a, b }) => ({
        y: image(shape, (n, c, h, w) => a.data[at(a, n, c, h, w)] * b.data[c]),
      }),
      build: (g) => g.output('y', mul(g.graph, 'y', g.activation('a'), g.vector('b'))),
      wrt: ['a', 'b'],
    });
  });
});

test('a sum with a product is made where the product is', async () => {
  const shape = [2, 6, 3, 5];
  const steps: string[] = [];
  await checkOp({
    inputs: { a: draw(shape), b: draw(shape), c: draw(shape) },
    reference: ({ a, b, c }) => ({
      y: { shape, data: a.data.map((v, i) => 0.5 * v * b.data[i] + c.data[i]) },
    }),
    build: (g) => {
      const product = mul(g.graph, 'product', g.activation('a'), g.activation('b'), 0.5);
      g.output('y', add(g.graph, 'y', product, g.activation('c')));
    },
    wrt: ['a', 'b', 'c'],
    passes: [...standardPasses(), seen(steps)],
  });
  expect(steps).not.toContain('add');
});

test('the gradients of slices that make up a tensor are put side by side', async () => {
  const lengths = [3, 5, 2, 6];
  const starts = [0, 3, 8, 10];
  const shape = [2, 16, 2, 3];
  const steps: string[] = [];
  const names = lengths.map((_, i) => `b${i}`);
  await checkOp({
    inputs: {
      x: draw(shape),
      ...Object.fromEntries(names.map((name, i) => [name, draw([2, lengths[i], 2, 3])])),
    },
    reference: ({ x, ...b }) =>
      Object.fromEntries(
        names.map((name, i) => [
          `y${i}`,
          image(
            b[name].shape,
            (n, c, h, w) => b[name].data[at(b[name], n, c, h, w)] * x.data[at(x, n, c + starts[i], h, w)],
          ),
        ]),
      ),
    build: (g) => {
      const x = g.activation('x');
      // out of their order
      for (const i of [2, 0, 3, 1]) {
        const part = sliceChannels(g.graph, `part ${i}`, x, starts[i], lengths[i]);
        g.output(`y${i}`, mul(g.graph, `y${i}`, part, g.activation(names[i])));
      }
    },
    wrt: ['x', ...names],
    passes: [...standardPasses(), seen(steps)],
  });
  expect(steps.filter((op) => op === 'gather_channels')).toHaveLength(4);
  expect(steps.filter((op) => op === 'concat')).toHaveLength(1);
});

/** A pass that notes the operations that are left. */
const seen = (ops: string[]): Pass => ({
  graph: (graph) => ops.push(...graph.nodes.map(({ op }) => op.name)),
});

describe('concatenation', () => {
  test.each([[[1, 1]], [[5, 3]], [[4, 8]], [[2, 6, 3, 5]], [[3, 1, 2, 4, 1, 5, 3, 2, 6]]])(
    'of %j channels',
    async (channels) => {
      const names = channels.map((_, i) => `x${i}`);
      const shape = [2, channels.reduce((a, b) => a + b), 2, 3];
      await checkOp({
        inputs: Object.fromEntries(names.map((name, i) => [name, draw([2, channels[i], 2, 3])])),
        reference: (v) => ({
          y: image(shape, (n, c, h, w) => {
            let i = 0;
            for (; c >= channels[i]; i++) c -= channels[i];
            return v[names[i]].data[at(v[names[i]], n, c, h, w)];
          }),
        }),
        build: (g) => g.output('y', concat(g.graph, 'y', names.map(g.activation))),
        wrt: names,
        addend: names[1],
      });
    },
  );
});

describe('channels', () => {
  /** x's channel for y's, or -1 for a zero. */
  const moved =
    (shape: number[], stride: number, source: (c: number) => number) =>
    ({ x }: ValueMap) => ({
      y: image(shape, (n, c, h, w) =>
        source(c) < 0 || source(c) >= x.shape[1] ? 0 : x.data[at(x, n, source(c), h * stride, w * stride)],
      ),
    });

  test.each([
    [7, 0, 3],
    [7, 3, 4],
    [8, 4, 4],
    [10, 5, 5],
  ])('a slice of %i from %i, %i long', async (channels, start, length) => {
    await checkOp({
      inputs: { x: draw([2, channels, 2, 3]) },
      reference: moved([2, length, 2, 3], 1, (c) => c + start),
      build: (g) => g.output('y', sliceChannels(g.graph, 'y', g.activation('x'), start, length)),
      wrt: ['x'],
      addend: 'x',
    });
  });

  test.each([
    [6, 2],
    [12, 3],
    [9, 3],
    [5, 1],
    [4, 4],
  ])('%i shuffled in %i groups', async (channels, groups) => {
    await checkOp({
      inputs: { x: draw([2, channels, 1, 3]) },
      reference: moved(
        [2, channels, 1, 3],
        1,
        (c) => (c % groups) * (channels / groups) + Math.floor(c / groups),
      ),
      build: (g) => g.output('y', shuffleChannels(g.graph, 'y', g.activation('x'), groups)),
      wrt: ['x'],
      addend: 'x',
    });
  });

  test.each([
    [[1, 3, 1, 1], 2, 7, 2, [1, 1]],
    [[2, 8, 5, 6], 2, 16, 4, [3, 3]],
    [[1, 5, 7, 4], 3, 8, 1, [3, 2]],
  ])('%j subsampled by %i, to %i channels after %i zeros', async (shape, stride, channels, before, size) => {
    await checkOp({
      inputs: { x: draw(shape) },
      reference: moved([shape[0], channels, ...size], stride, (c) => c - before),
      build: (g) => g.output('y', subsample(g.graph, 'y', g.activation('x'), stride, channels, before)),
      wrt: ['x'],
      addend: 'x',
    });
  });

  test.each(BLOCK_ORDERS)('as blocks of pixels and back, counted %s', async (order) => {
    for (const [channels, block] of [
      [1, 2],
      [3, 2],
      [5, 3],
    ]) {
      const [small, large] = [
        [2, channels * block ** 2, 2, 3],
        [2, channels, 2 * block, 3 * block],
      ];
      const digits = (c: number, h: number, w: number) => ({
        c: [c, channels],
        h: [h % block, block],
        w: [w % block, block],
      });
      /** the channel among the many of a channel and pixel among the others */
      const channelOf = (c: number, h: number, w: number) =>
        [...order].reduce((sum, letter) => {
          const [digit, base] = digits(c, h, w)[letter as 'c' | 'h' | 'w'];
          return sum * base + digit;
        }, 0);
      const laid = (x: Values) =>
        image(
          large,
          (n, c, h, w) => x.data[at(x, n, channelOf(c, h, w), Math.floor(h / block), Math.floor(w / block))],
        );
      const gathered = (x: Values) => {
        const y = image(small, () => 0);
        image(large, (n, c, h, w) => {
          y.data[at(y, n, channelOf(c, h, w), Math.floor(h / block), Math.floor(w / block))] =
            x.data[at(x, n, c, h, w)];
          return 0;
        });
        return y;
      };
      await checkOp({
        inputs: { x: draw(small) },
        reference: ({ x }) => ({ y: laid(x) }),
        build: (g) =>
          g.output(
            'y',
            depthToSpace(g.graph, 'y', g.activation('x'), { kind: 'depth_to_space', block, order }),
          ),
        wrt: ['x'],
        addend: 'x',
      });
      await checkOp({
        inputs: { x: draw(large) },
        reference: ({ x }) => ({ y: gathered(x) }),
        build: (g) =>
          g.output(
            'y',
            depthToSpace(g.graph, 'y', g.activation('x'), { kind: 'space_to_depth', block, order }),
          ),
        wrt: ['x'],
        addend: 'x',
      });
    }
  });

  test('refuse blocks that do not fit', () => {
    const g = new Graph();
    const x = g.tensor('x', [1, 4, 3, 6], { role: 'input' });
    for (const kind of ['depth_to_space', 'space_to_depth'] as const)
      expect(() => depthToSpace(g, kind, x, { kind, block: 2, order: 'chw' })).toThrow(
        `${kind}: an image of 4 x 3 is not whole blocks of 2: use larger images.`,
      );
  });

  test('refuse groups that do not divide them', () => {
    const g = new Graph();
    const x = g.tensor('x', [1, 2, 2, 5], { role: 'input' });
    expect(() => shuffleChannels(g, 'shuffle', x, 2)).toThrow(UserError);
  });
});

test.each([
  [1, 1, 1],
  [3, 5, 2],
  [4, 8, 11],
])('linear, %i rows of %i to %i', async (rows, inputs, outputs) => {
  for (const bias of [true, false]) {
    await checkOp({
      inputs: {
        x: draw([rows, inputs]),
        weight: draw([outputs, inputs]),
        ...(bias && { bias: draw([outputs]) }),
      },
      reference: (v) => {
        const y = image([rows, outputs, 1, 1], (n, o) => {
          let sum = bias ? v.bias.data[o] : 0;
          for (let i = 0; i < inputs; i++) sum += v.x.data[n * inputs + i] * v.weight.data[o * inputs + i];
          return sum;
        });
        return { y: { shape: [rows, outputs], data: y.data } };
      },
      build: (g) =>
        g.output('y', linear(g.graph, 'y', g.activation('x'), g.weight('weight'), g.optionalVector('bias'))),
      wrt: ['x', 'weight', ...(bias ? ['bias'] : [])],
    });
  }
});
