import { expect } from 'vitest';
import { type Gpu, requestGpu } from '../../src/gpu/device';
import { compile, type Pass } from '../../src/graph/compile';
import type { Graph } from '../../src/graph/graph';
import type { ArenaLayout } from '../../src/graph/ir';
import { product, type Shape } from '../../src/graph/tensor';
import { GPU_TUNING, SOFTWARE_TUNING, type Tuning } from '../../src/graph/tuning';
import { Session } from '../../src/runtime/session';
import type { StepUniform } from '../../src/runtime/step';
import { type Case, CaseGraph, type Numbers } from '../../src/verify/case';

/** Plans are cut in two ways; both must be right, on any adapter. */
export const TUNINGS = [
  ['a GPU', GPU_TUNING],
  ['a software adapter', SOFTWARE_TUNING],
] as const;

/** The same, where matrix products read from workgroup memory. */
export const WORKGROUP_TUNINGS = TUNINGS.map(
  ([name, tuning]) => [`${name}, by workgroup memory`, { ...tuning, workgroupMemory: true }] as const,
);

/** The same, where 64 or 256 threads share a sum of some hundred terms, and workgroups more or fewer parts of a weight's gradient. */
export const SHARING_TUNINGS = [
  ['sums of 2 a thread', { ...GPU_TUNING, serial: 2 }],
  ['sums of 1 a thread', { ...GPU_TUNING, serial: 1 }],
  ['pairs of splits', { ...GPU_TUNING, sharedSplits: 2 }],
  ['splits of their own', { ...GPU_TUNING, sharedSplits: 1 }],
] as const;

let device: Promise<Gpu> | undefined;

/** One device a test file. */
export function gpu(): Promise<Gpu> {
  device ??= requestGpu();
  return device;
}

/** A seeded source of numbers with zero mean and unit variance, uniform. */
export function source(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 32 - 0.5) * Math.sqrt(12);
  };
}

/** Random numbers of a shape that float32 holds exactly, so that references start from the same ones. */
export function numbers(shape: Shape, random: () => number, scale = 1, shift = 0): Numbers {
  return {
    shape: [...shape],
    data: Float32Array.from({ length: product(shape) }, () => random() * scale + shift),
  };
}

/** Asserts max|actual - expected| <= rtol * max(1e-6, max|expected|), NaN never passing. */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  rtol = 1e-4,
  what = 'result',
): void {
  expect(actual.length, `${what}: length`).toBe(expected.length);
  let scale = 1e-6;
  let worst = 0;
  let at = 0;
  for (let i = 0; i < expected.length; i++) {
    scale = Math.max(scale, Math.abs(expected[i]));
    const d = Math.abs(actual[i] - expected[i]);
    if (Number.isNaN(d)) expect.fail(`${what}[${i}] is ${actual[i]}, expected ${expected[i]}`);
    if (d > worst) [worst, at] = [d, i];
  }
  if (!(worst <= rtol * scale))
    expect.fail(
      `${what}[${at}] is ${actual[at]}, expected ${expected[at]}: off by ${(worst / scale).toExponential(2)}, allowed ${rtol}`,
    );
}

/**
 * Runs an op as the golden cases do: `build` declares inputs and outputs by name; `douts` are upstream gradients and
 * `wanted` the inputs to differentiate by. Results by `out.<name>` and `grad.<name>`, in PyTorch's layout.
 */
export async function runCase(
  c: Pick<Case, 'inputs' | 'outputs'> & {
    douts?: Case['douts'];
    wanted?: string[];
    step?: StepUniform;
    tuning?: Tuning;
    passes?: readonly Pass[];
  },
  build: (g: CaseGraph) => void,
): Promise<Map<string, Float32Array>> {
  const gradients = Object.fromEntries((c.wanted ?? []).map((name) => [name, c.inputs[name]]));
  const { inputs, outputs, douts = {}, tuning = GPU_TUNING, passes } = c;
  const g = new CaseGraph({ op: 'test', attrs: {}, inputs, outputs, douts, gradients });
  build(g);
  return g.run(await gpu(), c.step, { tuning, passes });
}

/** A session that runs one graph as its plan `run`; destroy it at the end of the test. */
export async function sessionOf(graph: Graph, layout: ArenaLayout = {}): Promise<Session<'run'>> {
  return Session.create(await gpu(), { run: compile(graph, { layout }) });
}
