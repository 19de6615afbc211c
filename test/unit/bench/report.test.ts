import { expect, test } from 'vitest';
import { byShader, type DispatchProfile, leastTimes } from '../../../src/bench/profile';
import { markdown } from '../../bench/report';

const figure = {
  ms: 10,
  dispatches: 3,
  submits: 1,
  peakBytes: 2_000_000,
  minMs: 9,
  maxMs: 11,
  firstMs: 50,
  jsMs: 0.25,
  reps: 5,
  newBuffers: 0,
  bindGroups: 0,
  value: [2.38343, 2.1597],
};

test('the table has times, ratios to ours, counts and failures', () => {
  const text = markdown({
    where: 'Here',
    date: '2024-01-02',
    cases: {
      step: { ours: figure, jaxjs: { ...figure, ms: 75, reps: 0 } },
      kernel: { ours: { ...figure, value: 7 }, jaxjs: { error: 'out of memory' } },
    },
  });
  expect(text).toContain('| case | Refocus, ms | jax-js, ms | jax-js / Refocus |');
  expect(text).toContain('| step | 10.0 | 75.0 (first call) | 7.50 x |');
  expect(text).toContain('| kernel | 10.0 | fails |  |');
  expect(text).toContain('| step | Refocus | 3 | 1 | 0 | 0 | 0.250 | 2.0 | 50.0 | 2.38343, 2.1597 |');
  expect(text).toContain('- kernel, jax-js: out of memory');
});

test("a case's bytes and operations stand against the device's own rates", () => {
  const rates = { gigabytes: 4, gigaflops: 20, dispatchMs: 0.1 };
  const ours = { ...figure, bytes: 20e6, flops: 40e6, rates };
  const text = markdown({
    where: 'Here',
    date: '2024-01-02',
    cases: { kernel: { ours }, bare: { ours: figure } },
  });
  // twenty megabytes at four gigabytes a second are five of the ten milliseconds
  expect(text).toContain('| kernel | 20.0 | 0.0400 | 2.00 | 4.00 | 4.00 | 20.0 | 5.00 | 50 % |');
  expect(text).not.toContain('| bare | 20');
});

test('results that are apart are named; what rounding does to later steps is not', () => {
  const cases = (value: number[]) => ({ ours: { ...figure, value: [1, 2, 3] }, jaxjs: { ...figure, value } });
  const text = (name: string, value: number[]) =>
    markdown({ where: 'Here', date: '2024-01-02', cases: { [name]: cases(value) } });
  expect(text('kernel', [1, 2, 3.1])).toContain('- kernel, jax-js: number 3 is 3.1, ours 3');
  expect(text('resnet20-train-b128', [1, 2.1, 3])).toContain(
    '- resnet20-train-b128, jax-js: number 2 is 2.1, ours 2',
  );
  expect(text('resnet20-train-b128', [1, 2, 3.1])).not.toContain('Results that differ');
  expect(text('kernel', [1.0001, 2, 3])).not.toContain('Results that differ');
});

test('shaders are summed over their dispatches, dearest first, against the device', () => {
  const dispatch = (shader: string, ms: number, bytes: number, flops: number): DispatchProfile => {
    const rest = { label: '', phase: 'forward' as const, gigabytes: 0, gigaflops: 0, efficiency: 0 };
    return { shader, ms, bytes, flops, ...rest };
  };
  const dispatches = [
    dispatch('a', 1, 2e6, 0),
    dispatch('b', 5, 2e6, 60e6),
    dispatch('a', 2, 4e6, 3e6),
    dispatch('too short', 0, 8, 8),
  ];
  expect(byShader(dispatches, { gigabytes: 4, gigaflops: 24, dispatchMs: 0.01 })).toEqual([
    {
      shader: 'b',
      dispatches: 1,
      share: 5 / 8,
      ms: 5,
      bytes: 2e6,
      flops: 60e6,
      gigabytes: 0.4,
      gigaflops: 12,
      efficiency: 0.5,
    },
    {
      shader: 'a',
      dispatches: 2,
      share: 3 / 8,
      ms: 3,
      bytes: 6e6,
      flops: 3e6,
      gigabytes: 2,
      gigaflops: 1,
      efficiency: 0.5,
    },
    expect.objectContaining({ shader: 'too short', gigabytes: 0, gigaflops: 0, efficiency: 0 }),
  ]);
});

test('a step takes at least what its dispatches, bytes and operations take at the rates of the device', () => {
  const totals = { dispatches: 300, bytes: 8e9, flops: 12e9, peakBytes: 1 };
  expect(leastTimes(totals, { gigabytes: 4, gigaflops: 24, dispatchMs: 0.01 })).toEqual({
    dispatches: 3,
    bytes: 2000,
    flops: 500,
  });
});
