import { expect, test } from 'vitest';
import { GPU_TUNING } from '../../../src/graph/tuning';
import { ALL_FUSIONS } from '../../../src/passes/fusion';
import { preActivation, programs, responses, squeezed, step } from '../../step-case';

test('a gradient that is also an addend is not moved into the convolution that reads it', () => {
  const { plan } = programs({ model: preActivation }).train;
  const shaders = plan.dispatches.map((d) => d.shader);
  expect(shaders.filter((s) => s === 'norm/batch_backward_apply')).toHaveLength(1);
  const plain = programs({ model: preActivation, fusions: { ...ALL_FUSIONS, gradient: false } }).train;
  expect(plan.totals.flops).toBe(plain.plan.totals.flops);
});

test.each([
  ['behind response norms, all of them GELUs', responses, 'activation/forward', [0, 3]],
  ['behind norms, one of them SiLU', squeezed, 'norm/affine_act', [0, 1]],
  ['behind norms, all of them simple', step, 'norm/affine_act', [4, 4]],
])(
  'activations %s: those of exponentials are stored where the tuning says so',
  (_, model, shader, counts) => {
    const stored = [false, true].map((storesExponentials) => {
      const { plan } = programs({ model, tuning: { ...GPU_TUNING, storesExponentials } }).train;
      return plan.dispatches.filter((d) => d.shader === shader).length;
    });
    expect(stored).toEqual(counts);
  },
);
