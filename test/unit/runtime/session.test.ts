import { expect, test } from 'vitest';
import type { Plan, PlannedDispatch } from '../../../src/graph/ir';
import { Session } from '../../../src/runtime/session';
import { fakeGpu } from '../fake-gpu';

const range = (buffer: string) => ({ buffer, offset: 0, bytes: 16 });

/** A plan of one dispatch of shape/copy, changed as a test wants it. */
function planOf(changed: Partial<PlannedDispatch>): Plan {
  const dispatch: PlannedDispatch = {
    shader: 'shape/copy',
    constants: { SIZE: 1, ADDEND: false },
    bindings: { x: range('x'), out: range('out') },
    writes: ['out'],
    halves: [],
    workgroups: [1, 1, 1],
    label: 'copy',
    phase: 'forward',
    flops: 0,
    bytes: 32,
    ...changed,
  };
  return {
    dispatches: [dispatch],
    buffers: { x: 16, out: 16 },
    tensors: {},
    totals: { dispatches: 1, bytes: 32, flops: 0, peakBytes: 32 },
  };
}

test('a session binds what the dispatches name, and makes no buffer beside those of the plan and the uniforms', async () => {
  const gpu = fakeGpu();
  const session = await Session.create(gpu, { plan: planOf({}) });
  expect(gpu.leaks().sort()).toEqual(['out', 'sizes', 'step', 'x']);
  session.destroy();
  expect(gpu.leaks()).toEqual([]);
});

test.each<[string, Partial<PlannedDispatch>]>([
  ['the binding addend is not given, but ADDEND is', { constants: { SIZE: 1, ADDEND: true } }],
  ['the binding x is not given', { bindings: { out: range('out') } }],
  ['there is no binding y', { bindings: { x: range('x'), out: range('out'), y: range('x') } }],
  ['SIZE must be an integer from 0 to 4294967295, not 1.5', { constants: { SIZE: 1.5 } }],
  ['there is no constant SIZES', { constants: { SIZE: 1, SIZES: 1 } }],
])('a dispatch that its shader does not fit is refused before it runs: %s', async (message, changed) => {
  await expect(Session.create(fakeGpu(), { plan: planOf(changed) })).rejects.toThrow(
    `shaders/shape/copy.wgsl: ${message}`,
  );
});
