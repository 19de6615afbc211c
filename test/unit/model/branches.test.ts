import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/errors';
import { floats, type StateDict } from '../../../src/io/tensor';
import { blocksOf, isMainKernel } from '../../../src/model/branches';
import { foldBlock, runSteps } from '../../../src/model/fold';
import fixtures from '../../fixtures/branches.json';
import { conv2d } from '../../reference/conv2d';

type Numbers = [shape: number[], numbers: number[]];

const cases = fixtures.map(({ state, x, y, ...rest }) => ({
  ...rest,
  state: new Map(
    Object.entries(state).map(([key, value]) => {
      const [shape, numbers] = value as Numbers;
      return [key, floats(shape, numbers)];
    }),
  ) satisfies StateDict,
  x: x as Numbers,
  y: y as Numbers,
}));

const furthest = (a: ArrayLike<number>, b: readonly number[]): number =>
  Math.max(...b.map((v, i) => Math.abs(v - a[i])));

describe.each(cases)('$name', ({ state, deployed, kernel, groups, eps, x, y }) => {
  const [block] = blocksOf(state, eps);
  const image = { channels: x[0][1], height: x[0][2], width: x[0][3], data: Float64Array.from(x[1]) };

  test('is one convolution, which does what PyTorch’s block does', () => {
    const folded = foldBlock(block);
    expect([block.name, block.deployed, block.groups]).toEqual(['block.', deployed, groups]);
    expect(folded.kernel.shape).toEqual(kernel);
    const padding: [number, number] = [kernel[2] >> 1, kernel[3] >> 1];
    const answer = conv2d(
      {
        x: { shape: x[0], data: Float64Array.from(x[1]) },
        weight: { shape: kernel, data: folded.kernel.data },
        bias: { shape: [kernel[0]], data: folded.bias },
      },
      { stride: [1, 1], padding, dilation: [1, 1], groups },
    );
    expect(furthest(answer.data, y[1])).toBeLessThan(1e-6);
  });

  test('taken step by step does it too', () => {
    const all = block.branches.map((steps) => runSteps(steps, image, groups));
    const sum = y[1].map((_, i) => all.reduce((total, { data }) => total + data[i], 0));
    expect(furthest(sum, y[1])).toBeLessThan(1e-6);
  });

  test('is all of its tensors', () => {
    expect(new Set(block.tensors)).toEqual(new Set(state.keys()));
    expect([...state.keys()].filter(isMainKernel)).toHaveLength(1);
  });
});

test('blocks stand in the file’s order, and a file without them has none', () => {
  const [a, b] = [cases[0].state, cases[6].state];
  const both: StateDict = new Map([
    ...[...a].map(([name, tensor]) => [`module.first.${name}`, tensor] as const),
    ['module.fc.weight', floats([1], [1])],
    ...[...b].map(([name, tensor]) => [`module.second.${name}`, tensor] as const),
  ]);
  expect(blocksOf(both).map(({ name }) => name)).toEqual(['module.first.block.', 'module.second.block.']);
  expect(blocksOf(new Map([['module.fc.weight', floats([1], [1])]]))).toEqual([]);
});

test('a block that lacks a part is named', () => {
  const state = new Map(cases[0].state);
  state.delete('block.rbr_1x1.bn.running_var');
  expect(() => blocksOf(state)).toThrow(UserError);
  expect(() => blocksOf(state)).toThrow(/block block\. lacks rbr_1x1\.bn\.running_var/);
});
