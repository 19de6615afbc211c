import { expect, test } from 'vitest';
import { Stopped } from '../../../src/errors';
import { findRate } from '../../../src/run/find-rate';
import type { TrainEvent, TrainJob } from '../../../src/run/job';
import { Memo } from '../../../src/run/memo';
import type { RateSearchOptions } from '../../../src/train/rate-search';
import { defaultSettings } from '../../../src/train/settings';
import { fakeGpu } from '../fake-gpu';
import { type Batch, type Behaviour, fakeNetwork } from '../fake-network';

const job: TrainJob = {
  model: { kind: 'builtin' },
  train: { kind: 'builtin', split: 'train' },
  test: { kind: 'builtin', split: 'test' },
  settings: { ...defaultSettings(), batch: 16, limit: 40, headEpochs: 0, ema: 0.9 },
};

/** A search whose loss is a function of the rate. */
async function search(
  loss: (batch: Batch) => number,
  options?: RateSearchOptions,
  cancelAt = Number.POSITIVE_INFINITY,
) {
  const control = { cancelled: false };
  const metrics: Behaviour['metrics'] = (batch) => {
    if (batch.step === cancelAt) control.cancelled = true;
    return [batch.rows * loss(batch), 0];
  };
  const { compute, batches } = fakeNetwork({ metrics });
  const gpu = fakeGpu(compute);
  const events: TrainEvent[] = [];
  const context = {
    gpu: async () => gpu,
    memo: new Memo(),
    control,
    emit: (e: TrainEvent) => void events.push(e),
  };
  const result = await findRate(job, context, options);
  return { result, batches, events, gpu };
}

test('a search trains at growing rates, tests nothing, keeps nothing, and tells each step', async () => {
  const { result, batches, events, gpu } = await search(({ lr }) => 2 + (lr / 0.5) ** 2, {
    from: 1e-4,
    to: 1,
    steps: 20,
  });
  expect(batches.map(({ program }) => program)).toEqual(new Array(20).fill('train'));
  for (const [i, { lr }] of batches.entries()) expect(lr).toBeCloseTo(1e-4 * 1e4 ** (i / 19), 6);
  // three batches a pass, each pass in another order
  expect(batches.map(({ epoch }) => epoch)).toEqual(batches.map((_, i) => Math.floor(i / 3)));
  expect(result.ended).toBe('finished');
  expect(result.points).toHaveLength(20);
  expect(result.suggestion).toBeGreaterThan(0.005);
  expect(result.suggestion).toBeLessThan(0.05);
  expect(events.filter(({ type }) => type === 'steps')).toHaveLength(20);
  expect(gpu.leaks()).toEqual([]);
});

test('a search ends where the loss has left all sense, or where it is stopped', async () => {
  const wild = await search(({ lr }) => (lr > 0.1 ? 100 : 2), { from: 1e-4, to: 100, steps: 60 });
  expect(wild.result.ended).toBe('diverged');
  expect(wild.result.points.length).toBeLessThan(40);
  const stopped = await search(() => 2, { steps: 50 }, 9);
  expect(stopped.result).toMatchObject({ ended: 'stopped' });
  expect(stopped.result.points).toHaveLength(10);
});

test.each<[RateSearchOptions, RegExp]>([
  [{ from: 1, to: 0.1 }, /no range/],
  [{ from: 0 }, /no range/],
  [{ steps: 3 }, /choose 10 to/],
])('%j is refused', async (options, message) => {
  await expect(search(() => 1, options)).rejects.toThrow(message);
});

test('a search that is stopped before it begins says so', async () => {
  const context = { gpu: async () => fakeGpu(), memo: new Memo(), control: { cancelled: true }, emit() {} };
  await expect(findRate(job, context)).rejects.toThrow(Stopped);
});
