import { expect, test } from 'vitest';
import { Stopped } from '../../../src/errors';
import type { RunContext, TrainEvent, TrainJob } from '../../../src/run/job';
import { Memo } from '../../../src/run/memo';
import { runBaseline } from '../../../src/run/run-baseline';
import type { Evaluation } from '../../../src/train/evaluate';
import { fakeGpu } from '../fake-gpu';

const figures = { loss: 0.5, accuracy: 0.75 };

/** Of the built-in network and images, whose measuring takes as long as the test says. */
function measuring(results: Promise<Evaluation>[]) {
  const control = { cancelled: false };
  const events: TrainEvent[] = [];
  const memo = new Memo();
  const context = {
    control,
    emit: (event: TrainEvent) => events.push(event),
    gpu: async () => fakeGpu(),
    memo: { get: (key: string) => memo.get(key, () => results.shift()!) },
  } as unknown as RunContext;
  const job = { model: { kind: 'builtin' }, test: { kind: 'builtin' } } as unknown as TrainJob;
  const told: Evaluation[] = [];
  const base = runBaseline(job, context, {
    network: { newHead: false } as never,
    test: { count: 4 } as never,
    settings: {} as never,
    told: (one) => told.push(one),
  });
  const warnings = () => events.flatMap((event) => (event.type === 'warning' ? [event.message] : []));
  return { control, base, told, warnings };
}

test('a run that is stopped while its start is measured has it measured in the end', async () => {
  let cut = (_: Error) => {};
  const first = new Promise<Evaluation>((_, reject) => {
    cut = reject;
  });
  const whole = { figures, logits: new Float32Array() };
  const { control, base, told, warnings } = measuring([first, Promise.resolve(whole)]);
  const running = base.whileRunning();
  control.cancelled = true;
  expect(await running).toBe(true);
  const ended = base.inTheEnd();
  // its kernels were still being compiled: it hears of the stop only now
  await new Promise((resolve) => setTimeout(resolve, 20));
  cut(new Stopped());
  expect(await ended).toBe(whole);
  expect(told).toEqual([whole]);
  expect(warnings()).toEqual([]);
});

test('what cannot be measured in the end is told, and loses nothing else', async () => {
  const { base, told, warnings } = measuring([Promise.reject(new Error('the GPU is gone'))]);
  expect(await base.inTheEnd()).toBeUndefined();
  expect(told).toEqual([]);
  expect(warnings()).toEqual(['The network as it was loaded could not be measured: the GPU is gone']);
});
