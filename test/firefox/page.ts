/**
 * What test/firefox.mjs runs in a browser, one check a call: every shader's compilation, every golden case, matrix products
 * by workgroup memory, steps with each rule of fusion off, and activations stored as f16, which this browser's software adapter has.
 */
import { type Gpu, requestGpu } from '../../src/gpu/device';
import { shaders } from '../../src/gpu/wgsl/shaders';
import { GPU_TUNING } from '../../src/graph/tuning';
import type { Model } from '../../src/model/model';
import { ALL_FUSIONS, type Fusions } from '../../src/passes/fusion';
import { verifyCase } from '../../src/verify';
import { goldenNames, loadGolden } from '../goldens';
import { compileFaults, halvedDispatches, shaderFaults } from '../shader-rules';
import { connected, NONE, RULES, stepResults, worstDifference } from '../step-case';

await shaders.load();

declare global {
  interface Window {
    checks: {
      /** the adapter's name; rejects where there is none */
      adapter(): Promise<string>;
      names(): string[];
      /** what is wrong, nothing where all is well */
      run(name: string): Promise<string>;
    };
  }
}

let device: Promise<Gpu> | undefined;
const gpu = () => {
  device ??= requestGpu();
  return device;
};

const STEP = 'a step with f16 activations';
const CONNECTED_STEP = 'a step with f16 activations in concatenations';
const WORKGROUP_STEP = 'a step by workgroup memory';
const ruleNames = new Map(
  (Object.keys(RULES) as (keyof Fusions)[]).map((rule) => [`a step without the rule ${rule}`, rule]),
);
const halved = new Map(halvedDispatches().map((d) => [`f16 ${d.shader} ${d.halves}`, d]));

/**
 * Gradients, statistics and logits of a step lie as far from f32's as 11 bits let them, and no nearer. What most are is 2e-3;
 * the scale of a norm before a convolution and a norm has a gradient near zero, the difference of large numbers. Where an
 * activation's input lies within rounding of its kink, all gradients before it jump: not on every batch.
 */
async function stepFault(model?: Model): Promise<string> {
  const differences: number[] = [];
  for (const seed of [1, 2, 3]) {
    const expected = await stepResults(await gpu(), { model, seed });
    differences.push(
      worstDifference(await stepResults(await gpu(), { model, seed, storage: 'f16' }), expected),
    );
  }
  const least = Math.min(...differences);
  return least > 1e-5 && least < 5e-2 ? '' : `relative differences ${differences.join(', ')}`;
}

async function workgroupStepFault(): Promise<string> {
  const tuning = { ...GPU_TUNING, workgroupMemory: true };
  const difference = worstDifference(
    await stepResults(await gpu(), { tuning }),
    await stepResults(await gpu(), {}),
  );
  return difference < 1e-4 ? '' : `relative difference ${difference}`;
}

/** Of the step of a network that a rule of fusion is there for: with all rules, and with all others, as with none. */
async function ruleFault(rule: keyof Fusions): Promise<string> {
  const model = RULES[rule];
  const results = async (fusions: Fusions) => stepResults(await gpu(), { model, fusions });
  const expected = await results(NONE);
  const differences = [
    worstDifference(await results(ALL_FUSIONS), expected),
    worstDifference(await results({ ...ALL_FUSIONS, [rule]: false }), expected),
  ];
  return Math.max(...differences) < 1e-4 ? '' : `relative differences ${differences.join(', ')}`;
}

async function run(name: string): Promise<string> {
  const half = halved.get(name);
  if (half)
    return (
      await compileFaults(await gpu(), shaders.compose(half.shader, half.constants, half.halves).code)
    ).join('; ');
  if (name === STEP) return stepFault();
  if (name === CONNECTED_STEP) return stepFault(connected);
  if (name === WORKGROUP_STEP) return workgroupStepFault();
  const rule = ruleNames.get(name);
  if (rule) return ruleFault(rule);
  if (name.startsWith('shader ')) return (await shaderFaults(await gpu(), name.slice(7))).join('; ');
  const line = await verifyCase(await gpu(), name, await loadGolden(name));
  return line.verdict === 'pass' ? '' : `error ${line.error}, tolerance ${line.tolerance}; ${line.message}`;
}

window.checks = {
  adapter: async () => (await gpu()).name,
  names: () => [
    ...shaders.ids().map((id) => `shader ${id}`),
    ...goldenNames(),
    ...halved.keys(),
    WORKGROUP_STEP,
    ...ruleNames.keys(),
    STEP,
    CONNECTED_STEP,
  ],
  async run(name) {
    const fault = await run(name).catch((e) => String(e));
    if (fault && device) {
      // a failed check may have broken the device: the next one gets its own
      (await gpu()).device.destroy();
      device = undefined;
    }
    return fault;
  },
};
