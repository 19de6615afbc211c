import { expect, test } from 'vitest';
import { benchCase } from '../../src/bench';
import { GpuCounters, type GpuCounts } from '../../src/gpu/counters';
import { buildModel } from '../../src/model/builder';
import { initialState } from '../../src/model/init';
import { withRefConv } from '../../src/model/refconv';
import type { StepUniform } from '../../src/runtime/step';
import { Trainer } from '../../src/train/trainer';
import { runSettings } from '../settings';
import { gpu } from './harness';

const STEPS = 1000;
const BATCH = 2;
const SIZE = 4;

/** A convolution, a batch norm, a depthwise RefConv, a classifier. */
const tiny = buildModel({ name: 'tiny', classes: 2 }, (net, x) => {
  const y = net.batchNorm('norm', net.conv('stem', x, 4, 3), 'relu');
  const z = net.conv('depthwise', y, 4, 3, { groups: 4 });
  return net.head('classifier', net.globalAvgPool(z));
});

function randomImages(count: number) {
  return {
    pixels: Uint8Array.from({ length: count * SIZE * SIZE * 3 }, (_, i) => (i * 7919) % 251),
    labels: Uint16Array.from({ length: count }, (_, i) => i % 2),
    count,
    height: SIZE,
    width: SIZE,
    classes: ['a', 'b'],
  };
}

test(`${STEPS} steps of training make no buffer, bind group, pipeline or shader`, async () => {
  const counters = GpuCounters.install();
  let last: GpuCounts | undefined;
  let reads = 0;
  const trainer = await Trainer.create(
    await gpu(),
    {
      model: withRefConv(tiny, {
        layers: 'depthwise',
        mapKernel: 3,
        identity: true,
        trainBasis: false,
        path: 'factored',
        startsNonZero: false,
      }),
      start: initialState(tiny, 1),
      train: randomImages(STEPS * BATCH),
      test: randomImages(BATCH),
      settings: { ...runSettings(), batch: BATCH, epochs: 1 },
      schedule: { kind: 'constant', lr: 0.01 },
    },
    {
      steps() {
        reads++;
        last = counters.now();
      },
      evaluated() {},
      warning: (message) => expect.fail(message),
    },
  );
  const { session } = trainer;
  const run = session.run.bind(session);
  let js = 0;
  let steps = 0;
  let before: GpuCounts | undefined;
  let readsBefore = 0;
  // the first step is drawn while it is being compiled (runAsCompiled): the second is as all others
  session.run = (name: 'train' | 'evaluate', step?: StepUniform) => {
    if (!before) {
      before = counters.now();
      readsBefore = reads;
    }
    const start = performance.now();
    run(name, step);
    if (name === 'train') {
      js += performance.now() - start;
      steps++;
    }
  };
  try {
    await trainer.run({ cancelled: false });
    expect(steps).toBe(STEPS - 1);
    expect(reads - readsBefore).toBeGreaterThan(1);
    const zero = { buffers: 0, bindGroups: 0, pipelines: 0, shaderModules: 0 };
    const made = Object.keys(zero).map((k) => [
      k,
      last![k as keyof GpuCounts] - before![k as keyof GpuCounts],
    ]);
    expect(Object.fromEntries(made)).toEqual(zero);
    expect(last!.submits - before!.submits).toBe(STEPS - 1 + reads - readsBefore);
    const { dispatches } = trainer.stepTotals();
    console.log(`JS ${(js / STEPS).toFixed(3)} ms a step of ${dispatches} dispatches`);
  } finally {
    session.destroy();
  }
});

test('a benchmark case gives the sum that float64 gives, and its counts', async () => {
  const [line] = await benchCase(await gpu(), 'refocus-c192-k3-bwdw', 1);
  expect(line).toMatchObject({ dispatches: 1, submits: 1, newBuffers: 0, bindGroups: 0 });
  expect(Math.abs((line.value as number) / 197_756.33667602198 - 1)).toBeLessThan(1e-6);
  // map, basis, upstream gradient, the map's gradient and the step's uniform
  expect(line.peakBytes).toBeGreaterThan(4 * 9 * 192 * 192);
  expect(line.peakBytes).toBeLessThan(2 * 4 * 9 * 192 * 192);
});
