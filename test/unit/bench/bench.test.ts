import { afterEach, expect, test, vi } from 'vitest';
import { BENCH_CASES, STEP_CASES, selectCases, selectOurCases } from '../../../src/bench/cases';
import { benchGraph } from '../../../src/bench/graphs';
import { type Job, measure, measureInTurns, median } from '../../../src/bench/measure';
import { uniform } from '../../../src/bench/numbers';
import type { GpuCounters } from '../../../src/gpu/counters';
import { compile } from '../../../src/graph/compile';
import { Graph } from '../../../src/graph/graph';
import { product } from '../../../src/graph/tensor';
import { instantiate } from '../../../src/model/instantiate';
import type { Model } from '../../../src/model/model';
import { architectureNames, createModel } from '../../../src/model/zoo';

test('the generator gives the numbers of mulberry32', () => {
  expect([...uniform(3, 77, 1.7)]).toEqual([-0.2529553771018982, -1.5564528703689575, 0.6664229035377502]);
});

test('patterns choose cases in the order of the report', () => {
  const names = selectCases(['mbv2-train-b32', 'dw5*bwd?', 'dw5*-bwdx']).map((c) => c.name);
  expect(names).toEqual(['dw5s1-8x8x384-bwdx', 'mbv2-train-b32']);
  expect(selectCases(['*'])).toEqual(BENCH_CASES);
  expect(new Set(BENCH_CASES.map((c) => c.name)).size).toBe(39);
});

test('a step of every network can be measured, and is asked of no other library', () => {
  const names = selectOurCases(['step-resnet8_*', 'step-ds_cnn', 'mbv2-infer-b128']).map((c) => c.name);
  expect(names).toEqual(['mbv2-infer-b128', 'step-resnet8_mlperf', 'step-ds_cnn']);
  expect(STEP_CASES).toHaveLength(architectureNames().length);
  expect(() => selectCases(['step-*'])).toThrow(/no benchmark case "step-\*".*mbv2-infer-folded-b128\.$/);
  expect(() => selectOurCases(['step-x'])).toThrow(/, step-ARCHITECTURE\.$/);
});

test('the network is the one that the others run', () => {
  const [c] = selectCases(['mbv2-train-b32-refconv']);
  const { instance, state } = benchGraph(c).network!;
  expect(instance.multiplyAdds).toBe((545_486_592 - 45_930_240) / 32);
  const maps = [...state].filter(([name]) => name.endsWith('.convmap.weight'));
  expect(maps.reduce((sum, [, { data }]) => sum + data.length, 0)).toBe(5_103_360);
});

test("ResNet-20 is the zoo's, and its weights are there", () => {
  const [c] = selectCases(['resnet20-train-b128']);
  const { instance, state } = benchGraph(c).network!;
  const zoo = createModel('resnet20_cifar', { classes: 10 });
  const x = new Graph().tensor('images', [1, 32, 32, 3], { role: 'input' });
  expect(instance.multiplyAdds).toBe(instantiate(zoo, new Graph(), x, { training: true }).multiplyAdds);
  const kinds = (layers: Model['layers']) => layers.map(({ kind }) => kind);
  expect(kinds(benchGraph(c).network!.model.layers)).toEqual(kinds(zoo.layers));
  expect([...state.values()].map(({ shape }) => shape.join()).sort()).toEqual(
    zoo.state.map(({ shape }) => shape.join()).sort(),
  );
});

test('a block gives its output and the gradient of all that it reads', () => {
  const { results, inputs } = benchGraph(selectCases(['convnext-*'])[0]);
  const read = [...inputs.keys()].filter((key) => key !== 'input:dy');
  expect(read).toHaveLength(10);
  const sizes = results.slice(1).map(({ shape }) => product(shape));
  expect(sizes).toEqual(read.map((key) => (inputs.get(key) as Float32Array).length));
});

test('a gradient alone runs nothing of the forward pass', () => {
  const shaders = (name: string) => {
    const plan = compile(benchGraph(selectCases([name])[0]).graph);
    return plan.dispatches.map((d) => d.phase);
  };
  expect(new Set(shaders('dw3s1-16x16x192-bwdw'))).toEqual(new Set(['backward']));
  expect(new Set(shaders('bn-16x16x192-fwdbwd'))).toEqual(new Set(['forward', 'backward']));
});

afterEach(() => void vi.restoreAllMocks());

/** A job whose waits take a known time by a clock of its own, and counters that it moves. */
function fakeJob(ms: number) {
  let clock = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => clock);
  const counts = {
    dispatches: 0,
    passes: 0,
    submits: 0,
    buffers: 0,
    bindGroups: 0,
    pipelines: 0,
    shaderModules: 0,
  };
  const state = { waits: 0, disposed: false };
  const counters = {
    now: () => ({ ...counts }),
    since: (before: typeof counts) => ({ ...counts, dispatches: counts.dispatches - before.dispatches }),
    resetPeak: () => {},
    peakBytes: 5,
  } as unknown as GpuCounters;
  const job: Job = {
    run() {
      counts.dispatches += 2;
    },
    async wait() {
      clock += ms;
      state.waits++;
    },
    value: async () => 7,
    dispose: () => {
      state.disposed = true;
    },
  };
  return { counters, job, state };
}

test('short work is started several times between two waits, and counted by the call', async () => {
  const { counters, job, state } = fakeJob(20);
  const figure = await measure(async () => job, counters, { oneByOne: false, most: 3 });
  expect(figure).toMatchObject({ dispatches: 2, peakBytes: 5, reps: 3, value: 7 });
  // sixty milliseconds hold three calls of twenty
  expect(figure).toMatchObject({ firstMs: 20, ms: 6.667 });
  expect(state).toEqual({ waits: 5, disposed: true });
});

test('a step is waited for one by one', async () => {
  const { counters, job } = fakeJob(20);
  const figure = await measure(async () => job, counters, { oneByOne: true, most: 3 });
  expect(figure.ms).toBe(20);
});

test('jobs in turns are called one after the other, each timed by itself', async () => {
  const { counters, job, state } = fakeJob(20);
  const order: string[] = [];
  const named = (name: string) => async () => ({ ...job, run: () => void order.push(name) });
  const figures = await measureInTurns([named('a'), named('b')], counters, 2);
  expect(order.join('')).toBe('aabbabab');
  expect(figures).toHaveLength(2);
  expect(figures[1]).toMatchObject({ firstMs: 20, ms: 20, reps: 2 });
  expect(state.disposed).toBe(true);
});

test('the median of an even count lies between', () => {
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([3, 1, 2])).toBe(2);
});
