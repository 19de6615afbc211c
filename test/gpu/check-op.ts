import type { Pass } from '../../src/graph/compile';
import { add } from '../../src/ops/add';
import type { StepUniform } from '../../src/runtime/step';
import type { CaseGraph } from '../../src/verify/case';
import { numericGradient, type ValueMap, type Values } from '../reference/values';
import { expectClose, numbers, runCase, source } from './harness';

const numbersOfFile = source(7);

/** Random numbers of variance scale^2 about shift: each call others, each run of a test file the same. */
export function draw(shape: number[], scale = 1, shift = 0): Values {
  const { data } = numbers(shape, numbersOfFile, scale, shift);
  return { shape, data: Float64Array.from(data) };
}

export interface OpTest {
  inputs: ValueMap;
  /** the results by plain float64 loops */
  reference: (inputs: ValueMap) => ValueMap;
  /** declares the same results of the same inputs on the GPU */
  build: (g: CaseGraph) => void;
  /** the inputs to differentiate by; gradients are checked against central differences of the reference */
  wrt: string[];
  /** results that carry no gradient */
  constant?: string[];
  /** an input of `wrt` that another node uses after the op, so that the op's gradient is added to an earlier one */
  addend?: string;
  step?: StepUniform;
  /** default: none */
  passes?: readonly Pass[];
  rtol?: number;
}

/** Runs an operation on the GPU and compares results and gradients with the float64 reference. */
export async function checkOp(test: OpTest): Promise<Map<string, Float32Array>> {
  const { inputs, addend, build, wrt, constant = [], step, passes, rtol = 2e-5 } = test;
  const reference = (values: ValueMap): ValueMap => {
    const results = test.reference(values);
    if (!addend) return results;
    const { shape, data } = values[addend];
    return { ...results, twice: { shape, data: data.map((v) => v + v) } };
  };
  const outputs = reference(inputs);
  const douts: ValueMap = {};
  for (const name of Object.keys(outputs))
    if (wrt.length > 0 && !constant.includes(name)) douts[name] = draw(outputs[name].shape);
  const gradients: ValueMap = {};
  for (const name of wrt) gradients[name] = numericGradient(reference, inputs, douts, name);
  const got = await runCase({ inputs, outputs, douts, wanted: wrt, step, passes }, (g) => {
    build(g);
    if (!addend) return;
    const x = g.graph.find('input', addend)!;
    g.output('twice', add(g.graph, 'twice', x, x));
  });
  for (const [name, { data }] of Object.entries(outputs))
    expectClose(got.get(`out.${name}`)!, data, rtol, name);
  for (const [name, { data }] of Object.entries(gradients))
    expectClose(got.get(`grad.${name}`)!, data, rtol, `gradient of ${name}`);
  return got;
}
