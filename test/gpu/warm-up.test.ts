import { expect, test } from 'vitest';
import { requestGpu } from '../../src/gpu/device';
import { pipelinesOf } from '../../src/gpu/pipelines';
import type { TrainJob } from '../../src/run/job';
import { Memo } from '../../src/run/memo';
import { runTraining } from '../../src/run/run';
import { warmUp } from '../../src/run/warm-up';
import { defaultSettings } from '../../src/train/settings';

test('after a warm-up a run compiles nothing more for its steps, and begins with the same images', async () => {
  const device = await requestGpu();
  const memo = new Memo();
  const kwargs = { inverted_residual_setting: [[1, 8, 1, 2]] };
  const job: TrainJob = {
    model: {
      kind: 'random',
      network: { arch: 'mobilenet_v2', width: 0.25, classes: 10, kwargs },
      seed: 1,
    },
    train: { kind: 'builtin', split: 'train' },
    test: { kind: 'builtin', split: 'test' },
    settings: { ...defaultSettings(), epochs: 1, batch: 16, repeats: 1, limit: 32 },
  };
  const context = { gpu: async () => device, memo };
  await warmUp(job, { ...context, goOn() {} });
  const compiled = pipelinesOf(device).size;
  expect(compiled).toBeGreaterThan(10);
  let atFirstSteps: number | undefined;
  const { report } = await runTraining(job, {
    ...context,
    control: { cancelled: false },
    emit: (event) => {
      if (event.type === 'steps') atFirstSteps ??= pipelinesOf(device).size;
    },
  });
  expect(atFirstSteps).toBe(compiled);
  expect(report.steps).toBe(2);
  const images = memo.get('images ["builtin","train",32]', () => expect.fail('not kept'));
  expect(await images).toMatchObject({ count: 32 });
});
