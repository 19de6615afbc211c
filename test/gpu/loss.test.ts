import { describe, expect, test } from 'vitest';
import { vectorLayout } from '../../src/model/layout';
import { dropout, stochasticDepth } from '../../src/ops/dropout';
import { crossEntropy } from '../../src/ops/loss/cross-entropy';
import { METRICS_RING } from '../../src/ops/loss/metrics';
import type { StepUniform } from '../../src/runtime/step';
import { crossEntropyRows } from '../reference/cross-entropy';
import { fill, type ValueMap, zeros } from '../reference/values';
import { checkOp, draw } from './check-op';
import { expectClose, runCase } from './harness';

describe('cross-entropy', () => {
  const build = async (inputs: ValueMap, labelSmoothing: number, step: StepUniform, wrt = ['logits']) => {
    const target = [...inputs.target.data];
    const weights = inputs.weights?.data;
    const [n, c] = inputs.logits.shape;
    const rows = Math.min(step.rows ?? n, n);
    return checkOp({
      inputs,
      reference: ({ logits }) => {
        const losses = crossEntropyRows(logits, target, labelSmoothing, weights).slice(0, rows);
        const sum = losses.reduce((a, b) => a + b, 0);
        const weight = weights ? target.slice(0, rows).reduce((a, label) => a + weights[label], 0) : 0;
        const whole = step.batchWeight || weight || rows;
        const correct = target.slice(0, rows).filter((label, i) => {
          const row = [...logits.data.subarray(i * c, (i + 1) * c)];
          return row.indexOf(Math.max(...row)) === label;
        }).length;
        const metrics = zeros(METRICS_RING * 4);
        metrics.data.set([sum, correct, rows, weight], ((step.step ?? 0) % METRICS_RING) * 4);
        return { loss: { shape: [], data: Float64Array.of(sum / whole) }, metrics };
      },
      build: (g) => {
        const r = crossEntropy(g.graph, 'loss', g.activation('logits'), g.integers('target'), {
          labelSmoothing,
          classWeights: weights && g.vector('weights'),
          metrics: true,
        });
        g.output('loss', r.loss, vectorLayout([]));
        g.output('metrics', r.metrics!, vectorLayout([METRICS_RING * 4]));
      },
      wrt,
      constant: ['metrics'],
      step,
      addend: wrt[0],
    });
  };

  test.each([
    [1, 2, 0, {}],
    [5, 3, 0.1, { step: 3 }],
    [7, 10, 0.1, { step: 1000, rows: 4 }],
    [130, 5, 0, { rows: 1000 }],
    [3, 101, 0.2, { rows: 1 }],
  ])('of %i rows and %i classes, smoothing %f, step %j', async (n, c, smoothing, step) => {
    await build({ logits: draw([n, c], 3), target: fill([n], (i) => (i * 7) % c) }, smoothing, step);
  });

  test.each([
    [7, 3, 0, {}],
    [130, 5, 0.1, { step: 3 }],
    [70, 6, 0.2, { rows: 66 }],
    [5, 3, 0.1, { rows: 4, batchWeight: 12.5 }],
  ])('of %i rows and %i classes with weights, smoothing %f, step %j', async (n, c, smoothing, step) => {
    const weights = fill([c], (i) => [0.25, 3, 0, 1.5][i % 4]);
    const target = fill([n], (i) => (i * 7) % c);
    await build({ logits: draw([n, c], 3), target, weights }, smoothing, step);
  });

  test('of a part of a batch is its share of the batch’s mean', async () => {
    const inputs = { logits: draw([5, 3], 3), target: fill([5], (i) => i % 3) };
    await build(inputs, 0.1, { rows: 4, batchWeight: 9 });
  });

  test('of logits far apart is finite and right', async () => {
    const logits = fill([2, 3], (i) => [1000, -1000, 0, -500, -501, -2000][i]);
    await build({ logits, target: fill([2], (i) => i) }, 0, {}, []);
  });

  test('counts the first of equal maxima', async () => {
    const logits = fill([2, 4], (i) => [0, 1, 1, 0, 2, 0, 0, 2][i]);
    const got = await build({ logits, target: fill([2], (i) => [1, 0][i]) }, 0, {}, []);
    expect(got.get('out.metrics')![1]).toBe(2);
  });

  test('of a NaN is NaN', async () => {
    const inputs = { logits: fill([2, 3], (i) => (i === 4 ? Number.NaN : i)), target: fill([2], () => 0) };
    const got = await runCase({ inputs, outputs: { loss: zeros() } }, (g) => {
      const options = { labelSmoothing: 0, metrics: false };
      const { loss } = crossEntropy(g.graph, 'loss', g.activation('logits'), g.integers('target'), options);
      g.output('loss', loss, vectorLayout([]));
    });
    expect(got.get('out.loss')![0]).toBeNaN();
  });
});

describe('dropout', () => {
  const shape = [6, 5, 9, 11];
  const run = async (p: number, rows: boolean, step: StepUniform, name = 'drop') => {
    const inputs = { x: fill(shape, (i) => 1 + (i % 7)) };
    const dy = fill(shape, () => 1);
    const got = await runCase(
      { inputs, outputs: { y: zeros(...shape) }, douts: { y: dy }, wanted: ['x'], step },
      (g) => {
        const x = g.activation('x');
        g.output('y', (rows ? stochasticDepth : dropout)(g.graph, name, x, p));
      },
    );
    const y = got.get('out.y')!;
    const kept = [...y].map((v) => v !== 0);
    // each result is its input or nothing, and the gradient passed the same mask
    const scale = p < 1 ? 1 / (1 - p) : 0;
    expectClose(
      y,
      kept.map((k, i) => (k ? inputs.x.data[i] * scale : 0)),
    );
    expectClose(
      got.get('grad.x')!,
      kept.map((k) => (k ? scale : 0)),
    );
    return kept;
  };
  const share = (kept: boolean[]) => kept.filter(Boolean).length / kept.length;

  test.each([0.1, 0.5, 0.8])('keeps %f less than all, others at each step, seed and layer', async (p) => {
    const kept = await run(p, false, { seed: 1, step: 1 });
    expect(Math.abs(share(kept) - (1 - p))).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / kept.length));
    expect(await run(p, false, { seed: 1, step: 1 })).toEqual(kept);
    const others = [
      await run(p, false, { seed: 1, step: 2 }),
      await run(p, false, { seed: 2, step: 1 }),
      await run(p, false, { seed: 1, step: 1 }, 'another'),
    ];
    for (const other of others) {
      const agreement = share(kept.map((k, i) => k === other[i]));
      expect(Math.abs(agreement - (p * p + (1 - p) * (1 - p)))).toBeLessThan(0.05);
    }
  });

  test('of 0 is nothing, of 1 leaves nothing', async () => {
    expect(share(await run(0, false, {}))).toBe(1);
    expect(share(await run(1, false, {}))).toBe(0);
  });

  test('stochastic depth drops whole samples', async () => {
    const size = shape[1] * shape[2] * shape[3];
    let total = 0;
    for (let step = 0; step < 8; step++) {
      const kept = await run(0.5, true, { seed: 3, step });
      for (let n = 0; n < shape[0]; n++) {
        const sample = share(kept.slice(n * size, (n + 1) * size));
        expect([0, 1]).toContain(sample);
        total += sample;
      }
    }
    expect(total / (8 * shape[0])).toBeGreaterThan(0.2);
    expect(total / (8 * shape[0])).toBeLessThan(0.8);
  });
});
