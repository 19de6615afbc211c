import { expect, test } from 'vitest';
import { ALL_FUSIONS } from '../../../src/passes/fusion';
import { preActivation, programs } from '../../step-case';

test('a gradient that is also an addend is not moved into the convolution that reads it', () => {
  const { plan } = programs({ model: preActivation }).train;
  const shaders = plan.dispatches.map((d) => d.shader);
  expect(shaders.filter((s) => s === 'norm/batch_backward_apply')).toHaveLength(1);
  const plain = programs({ model: preActivation, fusions: { ...ALL_FUSIONS, gradient: false } }).train;
  expect(plan.totals.flops).toBe(plain.plan.totals.flops);
});
