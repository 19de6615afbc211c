import { describe, expect, test, vi } from 'vitest';
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

describe('a program that is being compiled', () => {
  /** Three dispatches of a kernel each, whose compilers end when the test says so, and what was drawn. */
  async function compiling() {
    const drawn: string[][] = [];
    const gpu = fakeGpu((dispatches) => drawn.push(dispatches.map(({ label }) => label)));
    const compiled: ((kernel: unknown) => void)[] = [];
    const compile = gpu.device.createComputePipelineAsync.bind(gpu.device);
    gpu.device.createComputePipelineAsync = ((descriptor: GPUComputePipelineDescriptor) =>
      new Promise((resolve) => {
        compiled.push(() => resolve(compile(descriptor)));
      })) as never;
    const [one, two, three] = [[], ['x'], ['out']].map((halves, i) => {
      const [dispatch] = planOf({ halves, label: `${i}` }).dispatches;
      return dispatch;
    });
    (gpu.device.features as unknown as Set<string>).add('shader-f16');
    const plan = { ...planOf({}), dispatches: [one, two, one, three] };
    const session = await Session.open(gpu, { plan });
    const run = session.runAsCompiled('plan');
    const end = async (i: number) => {
      compiled[i](undefined);
      await new Promise((resolve) => setTimeout(resolve, 20));
      await session.settle();
    };
    await vi.waitFor(() => expect(compiled).toHaveLength(3));
    return { session, run, end, drawn };
  }

  test('runs in order what is there, and the rest as it comes', async () => {
    const { session, run, end, drawn } = await compiling();
    expect(drawn).toEqual([]);
    await end(0);
    expect(drawn).toEqual([['0']]);
    await end(2);
    expect(drawn).toEqual([['0']]);
    await end(1);
    expect(drawn).toEqual([['0'], ['1', '0', '2']]);
    await run;
    await session.runAsCompiled('plan');
    await session.settle();
    expect(drawn.at(-1)).toEqual(['0', '1', '0', '2']);
  });

  test('draws nothing more once its session is destroyed', async () => {
    const { session, run, end, drawn } = await compiling();
    await end(0);
    const failed = expect(run).rejects.toThrow('the session was destroyed');
    // bound, and about to be drawn
    const bound = end(1);
    for (let turn = 0; turn < 50; turn++) await undefined;
    session.destroy();
    await Promise.all([bound, failed]);
    expect(drawn).toEqual([['0']]);
  });

  test('cannot be run as a whole', async () => {
    const { session } = await compiling();
    expect(() => session.run('plan')).toThrow('plan is not compiled yet');
  });
});
