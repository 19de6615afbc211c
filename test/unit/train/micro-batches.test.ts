import { describe, expect, test } from 'vitest';
import { buildModel } from '../../../src/model/builder';
import type { StepPoint } from '../../../src/train/metrics';
import { checkMicroBatch, microBatches, microSentence } from '../../../src/train/micro-batches';
import { Trainer } from '../../../src/train/trainer';
import { runSettings } from '../../settings';
import { fakeGpu } from '../fake-gpu';
import { type Behaviour, fakeNetwork, labelled, tinyModel, tinyTraining } from '../fake-network';

const plain = buildModel({ name: 'plain', classes: 3 }, (net, x) => net.head('fc', net.globalAvgPool(x)));

const epochOf = (count: number, batch: number, microBatch: number, model = tinyModel) => ({
  model,
  train: { count },
  settings: runSettings({ batch, microBatch }),
});
const spans = (...[batch, micro, model]: [batch: number, micro: number, model?: typeof plain]) =>
  microBatches(epochOf(100, batch, micro, model), { first: 10, rows: batch }).map(({ first, rows, ends }) => [
    first,
    rows,
    ends,
  ]);

describe('the micro-batches of a batch', () => {
  test('take its images one after the other, those left over in the last', () => {
    expect(spans(8, 4)).toEqual([
      [10, 4, false],
      [14, 4, true],
    ]);
    expect(spans(8, 3)).toEqual([
      [10, 3, false],
      [13, 3, false],
      [16, 2, true],
    ]);
    expect(spans(8, 8)).toEqual([[10, 8, true]]);
    expect(spans(8, 50)).toEqual([[10, 8, true]]);
  });

  test('never leave one image alone to a batch norm', () => {
    expect(spans(9, 4)).toEqual([
      [10, 4, false],
      [14, 5, true],
    ]);
    expect(spans(9, 4, plain)).toEqual([
      [10, 4, false],
      [14, 4, false],
      [18, 1, true],
    ]);
    expect(spans(3, 2)).toEqual([[10, 3, true]]);
    expect(() => checkMicroBatch(epochOf(100, 8, 1))).toThrow('Batch norm cannot train');
    expect(() => checkMicroBatch(epochOf(100, 8, 1, plain))).not.toThrow();
    expect(() => checkMicroBatch(epochOf(100, 8, 2))).not.toThrow();
  });

  test('are no more than the metrics have room for', () => {
    expect(() => checkMicroBatch(epochOf(4000, 512, 4))).not.toThrow();
    expect(() => checkMicroBatch(epochOf(4000, 516, 4))).toThrow('choose a micro-batch of 5 or more');
  });

  test('have a sentence, with batch norm where there is one', () => {
    expect(microSentence(epochOf(100, 8, 8))).toBeUndefined();
    expect(microSentence(epochOf(6, 8, 7))).toBeUndefined();
    expect(microSentence(epochOf(100, 8, 4, plain))).toBe(
      'A batch is taken in micro-batches of 4, whose gradients add up to the mean over the batch.',
    );
    expect(microSentence(epochOf(100, 8, 4))).toContain('batch norm takes the statistics of each');
  });
});

describe('a run in micro-batches', () => {
  async function run(
    settings: Parameters<typeof tinyTraining>[0],
    metrics?: Behaviour['metrics'],
    train = labelled(22),
  ) {
    const { compute, batches } = fakeNetwork({ metrics });
    const points: StepPoint[] = [];
    const trainer = await Trainer.create(
      fakeGpu(compute),
      { ...tinyTraining(settings), train },
      {
        steps: (fresh) => points.push(...fresh),
        evaluated() {},
        warning() {},
      },
    );
    await trainer.run({ cancelled: false });
    return { batches: batches.filter(({ program }) => program !== 'evaluate'), points, trainer };
  }

  test('updates once a batch, and tells each of its runs what the loss is divided by', async () => {
    // 22 images: two batches of eight and one of six
    const { batches } = await run({ epochs: 2, batch: 8, microBatch: 3 });
    const programs = [
      'accumulate',
      'accumulate',
      'train',
      'accumulate',
      'accumulate',
      'train',
      'accumulate',
      'train',
    ];
    expect(batches.map(({ program }) => program)).toEqual([...programs, ...programs]);
    expect(batches.slice(0, 8).map(({ batchOffset, rows }) => [batchOffset, rows])).toEqual([
      [0, 3],
      [3, 3],
      [6, 2],
      [8, 3],
      [11, 3],
      [14, 2],
      [16, 3],
      [19, 3],
    ]);
    expect(batches.map(({ batchWeight }) => batchWeight)).toEqual(
      [0, 1].flatMap(() => [8, 8, 8, 8, 8, 8, 6, 6]),
    );
    // a run is no other's in dropout and metrics, an update's correction goes by updates
    expect(batches.map(({ step }) => step)).toEqual(batches.map((_, i) => i));
    const updates = batches.filter(({ program }) => program === 'train');
    for (const [i, { correction1 }] of updates.entries())
      expect(correction1).toBeCloseTo(1 / (1 - 0.9 ** (i + 1)), 4);
  });

  test('reports a step by all of its images', async () => {
    const { points } = await run({ epochs: 2, batch: 8, microBatch: 3 }, ({ step, rows }) => [
      step * rows,
      step % 2 ? rows : 0,
    ]);
    expect(points.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(points[0].loss).toBeCloseTo((0 * 3 + 1 * 3 + 2 * 2) / 8, 6);
    expect(points[0].accuracy).toBeCloseTo(3 / 8, 6);
    expect(points[5].loss).toBeCloseTo((14 * 3 + 15 * 3) / 6, 6);
  });

  test('reads the ring before it is written over', async () => {
    const losses: Behaviour['metrics'] = ({ step, rows }) => [rows * (1000 - step), 0];
    // 352 runs an epoch, eight a step
    const { points } = await run({ epochs: 2, batch: 16, microBatch: 2 }, losses, labelled(704));
    expect(points).toHaveLength(88);
    for (const [i, { loss }] of points.entries()) expect(loss).toBeCloseTo(1000 - 8 * i - 3.5, 3);
  });

  test('counts the work of all runs of a step, and the memory of the largest', async () => {
    const whole = await run({ batch: 8 });
    const { trainer } = await run({ batch: 8, microBatch: 4 });
    const [all, half] = [whole.trainer.stepTotals(), trainer.stepTotals()];
    expect(half.dispatches).toBeGreaterThan(1.5 * all.dispatches);
    expect(half.flops).toBeGreaterThan(all.flops);
    expect(trainer.session.plans.train.totals.dispatches).toBe(all.dispatches + 1);
    const slots = (t: Trainer) =>
      Object.entries(t.session.plans.train.buffers).reduce(
        (a, [k, b]) => (k.startsWith('slot') ? a + b : a),
        0,
      );
    expect(slots(trainer)).toBeLessThan(0.7 * slots(whole.trainer));
  });
});
