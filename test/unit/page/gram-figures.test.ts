import { expect, test } from 'vitest';
import { gramCsv, gramPlot } from '../../../src/page/redundancy/figures';

const gramOf = (...values: number[]) => ({
  ...{ mapKernel: 3, groups: 1, measured: 1, directions: 1 },
  eigenvalues: Float64Array.from(values),
});

test('what a layer’s Gram matrix can change leaves as shares of its largest step', async () => {
  expect(gramCsv(gramOf(4, 1))).toBe('direction,eigenvalue,share\r\n1,4,1\r\n2,1,0.25\r\n');
  expect(await gramPlot(gramOf(4, 1), 'features.<0>')).toContain('features.&lt;0&gt;');
});

test('that of kernels that are all zero too', async () => {
  expect(gramCsv(gramOf(0, 0))).toBe('direction,eigenvalue,share\r\n1,0,0\r\n2,0,0\r\n');
  const drawn = await gramPlot(gramOf(0, 0), 'conv');
  expect(drawn).toMatch(/^<svg /);
  expect(drawn).not.toContain('NaN');
});
