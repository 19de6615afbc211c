import { describe, expect, test } from 'vitest';
import { benchCase } from '../../src/bench';
import { profile } from '../../src/bench/profile';
import { UserError } from '../../src/errors';
import { Graph } from '../../src/graph/graph';
import { copy } from '../../src/ops/copy';
import { deviceRates, timeDispatches } from '../../src/runtime/profiler';
import { runSettings } from '../settings';
import { gpu, sessionOf } from './harness';

/** Two copies, the second so large that it is longer than a step of any device's clock. */
function copies(): Graph {
  const graph = new Graph();
  for (const size of [2 ** 14, 2 ** 23]) {
    const x = graph.tensor(`x${size}`, [size], { role: 'input' });
    copy(graph, `copy ${size}`, x, graph.tensor(`y${size}`, [size], { role: 'output' }));
  }
  return graph;
}

test.each(['timestamps', 'waiting'] as const)('each dispatch has its time: %s', async (method) => {
  const session = await sessionOf(copies());
  const { device } = session.gpu;
  const features = device.features;
  const has = method === 'timestamps' && features.has('timestamp-query');
  Object.defineProperty(device, 'features', { value: has ? features : new Set(), configurable: true });
  try {
    const times = await timeDispatches(session, 'run', {}, 3);
    expect(times.method).toBe(has ? 'timestamps' : 'waiting');
    expect(times.ms).toHaveLength(2);
    for (const ms of times.ms) expect(ms).toBeGreaterThanOrEqual(0);
    expect(times.ms[1]).toBeGreaterThan(times.ms[0]);
    expect(times.ms[1]).toBeLessThan(10_000);
  } finally {
    Reflect.deleteProperty(device, 'features');
    session.destroy();
  }
});

test('a device has rates', async () => {
  const { gigabytes, gigaflops, dispatchMs } = await deviceRates(await gpu());
  expect(gigabytes).toBeGreaterThan(0.01);
  expect(gigabytes).toBeLessThan(50_000);
  expect(gigaflops).toBeGreaterThan(0.01);
  expect(gigaflops).toBeLessThan(1e6);
  expect(dispatchMs).toBeGreaterThan(1e-5);
  expect(dispatchMs).toBeLessThan(50);
});

const context = { control: { cancelled: false } };

test('a profile sums by shader what it has by dispatch', async () => {
  const messages: string[] = [];
  const p = await profile(await gpu(), { kind: 'case', name: 'bn-16x16x192-fwdbwd' }, 1, {
    ...context,
    onProgress: ({ message }) => messages.push(message),
  });
  expect(messages.at(-1)).toBe('Timing each dispatch: run 1 of 1');
  expect(p.dispatches.length).toBe(6);
  const sum = (list: { flops: number }[]) => list.reduce((s, d) => s + d.flops, 0);
  expect(sum(p.shaders)).toBeCloseTo(sum(p.dispatches));
  expect(p.shaders.reduce((s, d) => s + d.dispatches, 0)).toBe(p.dispatches.length);
  expect(p.shaders.reduce((s, d) => s + d.share, 0)).toBeCloseTo(1);
  expect(p.shaders.map((s) => s.ms)).toEqual(p.shaders.map((s) => s.ms).sort((a, b) => b - a));
  expect(p.runMs).toBeGreaterThan(0);
  expect(p.least.dispatches).toBeCloseTo(6 * p.rates.dispatchMs);
});

test('a profile tells how long each kernel took to compile, once', async () => {
  const take = async () =>
    (
      await profile(await gpu(), { kind: 'case', name: 'pw-16x16-32to192-fwd' }, 1, {
        ...context,
        onProgress() {},
      })
    ).kernels;
  const kernels = await take();
  expect(kernels.map(({ shader }) => shader)).toContain('pointwise/forward');
  for (const { compileMs } of kernels) expect(compileMs).toBeGreaterThan(0);
  const times = kernels.map(({ compileMs }) => compileMs!);
  expect(times).toEqual(times.toSorted((a, b) => b - a));
  // the device has them now
  for (const { compileMs } of await take()) expect(compileMs).toBeUndefined();
});

test('a step of a network trains on its four images', async () => {
  const [{ dispatches, value }] = await benchCase(await gpu(), 'step-resnet8_mlperf', 3);
  expect(dispatches).toBeGreaterThan(50);
  const losses = value as number[];
  expect(losses).toHaveLength(4);
  expect(losses[3]).toBeLessThan(losses[0]);
});

describe('the step of a run', () => {
  const settings = { ...runSettings(), batch: 4, imageSize: 16 };
  const target = { kind: 'run', model: { kind: 'builtin' }, settings } as const;

  test('is profiled with its settings, and cancelled keeps the runs made', async () => {
    const control = { cancelled: false };
    const onProgress = ({ message }: { message: string }) => {
      if (message === 'Timing each dispatch: run 2 of 9') control.cancelled = true;
    };
    const p = await profile(await gpu(), target, 9, { ...context, control, onProgress });
    expect(p.name).toBe('mobilenet_v2, refocus, batch of 4, 16 × 16 pixels, 10 classes');
    expect(p.runs).toBe(2);
    expect(p.totals.dispatches).toBe(p.dispatches.length);
    expect(p.shaders.map(({ shader }) => shader)).toContain('optim/sgd');
  });

  test('cancelled at once is none', async () => {
    const stopped = profile(await gpu(), target, 1, {
      ...context,
      control: { cancelled: true },
      onProgress() {},
    });
    await expect(stopped).rejects.toThrow(UserError);
  });
});
