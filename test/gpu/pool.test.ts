import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/errors';
import { Graph } from '../../src/graph/graph';
import { avgPool2d, globalAvgPool, maxPool2d } from '../../src/ops/pool';
import { pool, type Window } from '../reference/pool';
import { fill, type ValueMap } from '../reference/values';
import { checkOp, draw } from './check-op';
import { expectClose, runCase } from './harness';

const mean = (v: number[]) => v.reduce((a, b) => a + b, 0) / v.length;

/** Shape of x, window, rows and columns of PyTorch's result. */
type Row = [shape: number[], window: Window, size: [number, number], ceilMode?: boolean];
const square = (k: number, s: number, p: number): Window => ({
  kernel: [k, k],
  stride: [s, s],
  padding: [p, p],
});

const ROWS: Row[] = [
  [[1, 1, 1, 1], square(1, 1, 0), [1, 1]],
  [[2, 5, 4, 7], square(2, 2, 0), [2, 3]],
  [[1, 3, 7, 8], square(3, 2, 1), [4, 4]],
  [[1, 6, 5, 3], square(3, 1, 1), [5, 3]],
  [[1, 2, 7, 7], square(2, 3, 0), [2, 2]],
  [[1, 4, 6, 9], { kernel: [1, 3], stride: [2, 1], padding: [0, 1] }, [3, 9]],
];

describe('max pooling', () => {
  const rows: Row[] = [
    ...ROWS,
    [[1, 3, 6, 8], square(3, 2, 0), [3, 4], true],
    [[1, 3, 5, 5], square(2, 2, 1), [3, 3], true],
    [[1, 3, 4, 4], square(1, 3, 0), [2, 2], true],
  ];
  test.each(rows)('of %j, window %j, to %j, ceil mode %s', async (shape, window, size, ceilMode) => {
    await checkOp({
      inputs: { x: draw(shape) },
      reference: ({ x }) => ({ y: pool(x, window, size, (v) => Math.max(...v)) }),
      build: (g) => g.output('y', maxPool2d(g.graph, 'y', g.activation('x'), { ...window, ceilMode })),
      wrt: ['x'],
      addend: ceilMode ? undefined : 'x',
    });
  });

  test('gives the gradient of equal values to the first', async () => {
    const inputs: ValueMap = { x: fill([1, 1, 3, 4], (i) => [1, 1, 2, 2, 1, 1, 2, 2, 0, 0, 0, 0][i]) };
    const y = pool(inputs.x, square(2, 1, 0), [2, 3], (v) => Math.max(...v));
    const dy = fill([1, 1, 2, 3], (i) => i + 1);
    const got = await runCase({ inputs, outputs: { y }, douts: { y: dy }, wanted: ['x'] }, (g) =>
      g.output('y', maxPool2d(g.graph, 'y', g.activation('x'), square(2, 1, 0))),
    );
    expectClose(got.get('grad.x')!, [1, 0, 2 + 3, 0, 4, 0, 5 + 6, 0, 0, 0, 0, 0]);
  });
});

describe('average pooling', () => {
  test.each(ROWS)(
    'of %j, window %j, to %j, over the whole window or the image',
    async (shape, window, size) => {
      const whole = window.kernel[0] * window.kernel[1];
      for (const countIncludePad of [true, false]) {
        await checkOp({
          inputs: { x: draw(shape) },
          reference: ({ x }) => ({
            y: pool(x, window, size, (v) => mean(v) * (countIncludePad ? v.length / whole : 1)),
          }),
          build: (g) =>
            g.output('y', avgPool2d(g.graph, 'y', g.activation('x'), { ...window, countIncludePad })),
          wrt: ['x'],
          addend: countIncludePad ? 'x' : undefined,
        });
      }
    },
  );

  test.each([[[1, 1, 1, 1]], [[3, 13, 5, 7]], [[2, 8, 1, 4]]])('global, of %j', async (shape) => {
    await checkOp({
      inputs: { x: draw(shape) },
      reference: ({ x }) => ({
        y: pool(x, { ...square(1, 1, 0), kernel: [shape[2], shape[3]] }, [1, 1], mean),
      }),
      build: (g) => g.output('y', globalAvgPool(g.graph, 'y', g.activation('x'))),
      wrt: ['x'],
    });
  });
});

test('an image smaller than the window is refused', () => {
  const g = new Graph();
  const x = g.tensor('x', [1, 2, 2, 4], { role: 'input' });
  expect(() => maxPool2d(g, 'pool', x, square(3, 2, 0))).toThrow(UserError);
});
