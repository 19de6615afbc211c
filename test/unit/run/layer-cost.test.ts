import { expect, test } from 'vitest';
import { layerCost } from '../../../src/run/layer-cost';

const cost = (channels: number, kernel: number, more = {}) =>
  layerCost({ channels, kernel, mapKernel: 3, batch: 8, size: 14, ...more });

test('a dense map has a number for each pair of channels and each shift, a factored one for each tap of the layer', () => {
  expect(cost(32, 5).dense.trained).toBe(32 * 32 * 9);
  expect(cost(32, 5, { mapKernel: 1 }).dense.trained).toBe(32 * 32);
  expect(cost(32, 5).factored.trained).toBe(32 * 25);
  // a map is never larger than the kernel
  expect(cost(32, 3, { mapKernel: 5 })).toEqual(cost(32, 3));
});

test('with twice the channels a dense map costs four times as much, a factored one twice', () => {
  const [one, two] = [cost(256, 3), cost(512, 3)];
  for (const quantity of ['flops', 'bytes', 'memory'] as const) {
    const [dense, factored] = (['dense', 'factored'] as const).map(
      (form) => two[form][quantity] / one[form][quantity],
    );
    expect(dense, quantity).toBeGreaterThan(3.9);
    expect(dense, quantity).toBeLessThan(4.1);
    expect(factored, quantity).toBeGreaterThan(1.8);
    expect(factored, quantity).toBeLessThan(2.1);
  }
});

test('what trains is in memory with its gradient and momentum, and a dispatch makes the kernel', () => {
  const { dense, factored } = cost(128, 3);
  // map, gradient and momentum in the place of the kernel's own
  const least = 4 * 3 * (dense.trained - 128 * 9);
  expect(dense.memory).toBeGreaterThanOrEqual(least);
  expect(dense.memory).toBeLessThan(1.1 * least);
  expect(factored.memory).toBeLessThan(dense.memory / 100);
  expect(factored.dispatches).toBeGreaterThan(0);
  // a product of every pair of channels, forwards and backwards
  expect(dense.flops).toBeGreaterThan(2 * 2 * 128 * 128 * 49);
});

test('it does not grow with the batch: a map works on kernels', () => {
  const [small, large] = [cost(64, 3), cost(64, 3, { batch: 32 })];
  expect(large.layerFlops).toBe(4 * small.layerFlops);
  expect(large.dense.flops).toBe(small.dense.flops);
  expect(large.factored.bytes).toBe(small.factored.bytes);
});
