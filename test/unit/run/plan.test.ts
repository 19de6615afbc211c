import { expect, test } from 'vitest';
import { type PlanOptions, planSummary } from '../../../src/run/plan-summary';
import { readyForLimit } from '../../../src/train/programs';

await readyForLimit({ memory: 1 });

/** MobileNetV2 x0.35 on 32 x 32 images: the step that the peers were measured on is of this size. */
const mobilenet = (batch: number, method: PlanOptions['method']): PlanOptions => ({
  network: { arch: 'mobilenet_v2', width: 0.35, stemStride: 1, classes: 10 },
  batch,
  size: 32,
  method,
});

const resnet: PlanOptions = { network: { arch: 'resnet20_cifar' }, batch: 64, size: 32, method: 'finetune' };

/** Dispatches of each shader, in the plan's order of first use. */
function shaders(text: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [, shader] of text.matchAll(/^ *\d+ (?:forward|backward|update) +(\S+)/gm))
    counts[shader] = (counts[shader] ?? 0) + 1;
  return counts;
}

test.each([
  ['MobileNetV2 x0.35, batch 32, fine-tuned', mobilenet(32, 'finetune')],
  ['MobileNetV2 x0.35, batch 32, refocused', mobilenet(32, 'refocus')],
  ['MobileNetV2 x0.35, batch 128, fine-tuned', mobilenet(128, 'finetune')],
  ['ResNet-20, batch 64, fine-tuned', resnet],
])('the training step of %s', (_, options) => {
  const { text, totals } = planSummary(options);
  expect({ ...totals, shaders: shaders(text) }).toMatchSnapshot();
});

test('f16 activations take a quarter off the traffic and a third off the memory', () => {
  const { totals } = planSummary({ ...mobilenet(32, 'finetune'), storage: 'f16' });
  const full = planSummary(mobilenet(32, 'finetune')).totals;
  expect(totals.dispatches).toBe(full.dispatches);
  expect(totals.bytesPerStep).toBeLessThan(0.75 * full.bytesPerStep);
  expect(totals.minBytesPerStep).toBeLessThan(0.75 * full.minBytesPerStep);
  expect(totals.peakBytes).toBeLessThan(0.7 * full.peakBytes);
});

test.each([
  ['convnext_tiny', 2000],
  ['densenet121', 700],
])('a step of %s on 32 photographs keeps within %i MB for an eighth more operations', (arch, memory) => {
  const options = { network: { arch }, batch: 32, size: 224, method: 'finetune' } as const;
  const { totals } = planSummary({ ...options, memory });
  const free = planSummary(options).totals;
  expect(totals.peakBytes).toBeLessThanOrEqual(memory * 1e6);
  expect(free.peakBytes).toBeGreaterThan(1.3 * memory * 1e6);
  expect(totals.flopsPerStep).toBeLessThan(1.125 * free.flopsPerStep);
  expect(totals.bytesPerStep).toBeLessThan(1.25 * free.bytesPerStep);
  expect(totals.minPeakBytes).toBe(free.minPeakBytes);
});

test('a step of densenet121 without a limit keeps each number of its blocks once', () => {
  const { totals } = planSummary({
    network: { arch: 'densenet121' },
    batch: 32,
    size: 224,
    method: 'finetune',
  });
  expect(totals.peakBytes).toBeLessThan(1.05 * totals.minPeakBytes);
  expect(totals.bytesPerStep).toBeLessThan(1.4 * totals.minBytesPerStep);
});

test('the step stays within its budget of dispatches, traffic and memory', () => {
  const { totals } = planSummary(mobilenet(32, 'finetune'));
  expect(totals.dispatches).toBeLessThanOrEqual(320);
  expect(totals.bytesPerStep).toBeLessThanOrEqual(1.5 * totals.minBytesPerStep);
  expect(totals.peakBytes).toBeLessThanOrEqual(150e6);
  expect(planSummary(mobilenet(32, 'refocus')).totals.dispatches).toBeLessThanOrEqual(320);
  expect(planSummary(mobilenet(128, 'finetune')).totals.peakBytes).toBeLessThanOrEqual(550e6);
});
