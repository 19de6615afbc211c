import { expect, test } from 'vitest';
import { type Gpu, requestGpu } from '../../src/gpu/device';
import { sharesQuads } from '../../src/gpu/quads';
import { GPU_TUNING, type Tuning } from '../../src/graph/tuning';
import { buildModel } from '../../src/model/builder';
import { initialState } from '../../src/model/init';
import { autotune, canRun, tuningKey } from '../../src/run/tune';
import type { Training } from '../../src/train/training-session';
import { runSettings } from '../settings';
import { gpu } from './harness';

function training(): Training {
  const model = buildModel({ name: 'tuned', classes: 3 }, (net, x) =>
    net.head('fc', net.globalAvgPool(net.batchNorm('bn', net.conv('conv', x, 8, 1), 'relu'))),
  );
  const images = {
    pixels: new Uint8Array(6 * 64 * 3),
    labels: new Uint16Array(6),
    count: 6,
    height: 8,
    width: 8,
    classes: ['a', 'b', 'c'],
  };
  const settings = { ...runSettings(), method: 'finetune' as const, batch: 4 };
  const start = initialState(model, 0);
  const schedule = { kind: 'constant', lr: 1 } as const;
  return { model, start, train: images, test: images, settings, schedule };
}

/** A device without a feature that its adapter has. */
const gpuWithout = (feature: GPUFeatureName): Promise<Gpu> =>
  requestGpu(async () => {
    const adapter = await navigator.gpu.requestAdapter();
    if (!adapter) return null;
    const { limits, info } = adapter;
    const features = new Set([...adapter.features].filter((f) => f !== feature));
    const requestDevice = (descriptor?: GPUDeviceDescriptor) => adapter.requestDevice(descriptor);
    return { limits, info, features, requestDevice } as unknown as GPUAdapter;
  });

/** How many ways an autotuning times that differ from the device's own in one thing at most, and how many values of `subgroups`. */
async function tuned(device: Gpu) {
  const seen: number[] = [];
  let announced = 0;
  const timed = await autotune(device, training(), (done, of) => {
    seen.push(done);
    announced = of;
  });
  const tunings = timed.map(({ tuning }) => tuning);
  expect(seen).toEqual(Array.from({ length: announced }, (_, i) => i + 1));
  expect(new Set(tunings.map((t) => JSON.stringify(t))).size).toBe(tunings.length);
  expect(tunings).toContainEqual(device.tuning);
  expect(timed.map(({ ms }) => ms)).toEqual(timed.map(({ ms }) => ms).sort((a, b) => a - b));
  const names = Object.keys(device.tuning) as (keyof Tuning)[];
  const changes = tunings.map((t) => names.filter((name) => t[name] !== device.tuning[name]).length);
  const ways = changes.filter((count) => count <= 1).length;
  expect(tunings.length - ways).toBeLessThanOrEqual(1);
  return { ways, subgroups: new Set(tunings.map((t) => t.subgroups)).size };
}

test('autotune times eight ways to cut the step and perhaps the best together, the fastest first', async () => {
  const device = await gpu();
  expect(await tuned(device)).toEqual({ ways: 8, subgroups: 2 });
  expect(tuningKey(device, training())).toContain(device.name);
});

test('a device without subgroups is cut, tuned and told apart without them', async () => {
  const device = await gpuWithout('subgroups');
  expect(device.tuning.subgroups).toBe(false);
  expect(await tuned(device)).toEqual({ ways: 7, subgroups: 1 });
  const remembered = { ...GPU_TUNING, subgroups: true };
  expect(await canRun(device, remembered)).toBe(false);
  expect(await canRun(device, GPU_TUNING)).toBe(true);
  expect(await canRun(await gpu(), remembered)).toBe(true);
  device.device.destroy();
});

test('the probe finds the quads of a software adapter, and leaves no error behind', async () => {
  const device = await gpu();
  const shares = await sharesQuads(device.device);
  if (device.software) expect(shares).toBe(true);
  expect(device.tuning.subgroups).toBe(device.software);
  expect(device.failure.error).toBeUndefined();
});
