import { expect, test } from 'vitest';
import { describe } from '../../src/nn/describe';
import { initialState } from '../../src/nn/init';
import { defaultSettings } from '../../src/train/config';
import type { Training } from '../../src/train/trainer';
import { autotune, tuningKey } from '../../src/train/tune';
import { gpu } from './harness';

test('autotune times five ways to cut the step, the fastest first', async () => {
  const device = await gpu();
  const architecture: Training['architecture'] = (net, x) =>
    net.linear('fc', net.globalAvgPool(net.batchNorm('bn', net.conv('conv', x, 8, 1), 'relu')), 3);
  const images = {
    pixels: new Uint8Array(6 * 64 * 3),
    labels: new Uint16Array(6),
    count: 6,
    height: 8,
    width: 8,
    classes: ['a', 'b', 'c'],
    skipped: [],
  };
  const settings = { ...defaultSettings(), method: 'finetune' as const, batch: 4 };
  const start = initialState(describe(architecture, [8, 8], { training: true }), 0);
  const schedule = { kind: 'constant', lr: 1 } as const;
  const training: Training = { architecture, start, train: images, test: images, settings, schedule };
  const seen: number[] = [];
  const timed = await autotune(device, training, (done) => seen.push(done));
  expect(seen).toEqual([1, 2, 3, 4, 5]);
  expect(new Set(timed.map(({ tuning }) => JSON.stringify(tuning))).size).toBe(5);
  expect(timed.map(({ tuning }) => tuning)).toContainEqual(device.tuning);
  expect(timed.map(({ ms }) => ms)).toEqual(timed.map(({ ms }) => ms).sort((a, b) => a - b));
  expect(tuningKey(device, training)).toContain(device.name);
});
