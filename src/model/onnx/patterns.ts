/** Operators that stand for another: what exporters took apart is put together again before the graph is read. */
import type { OnnxNode } from '../../io/onnx/graph';
import { type Constant, numbers, scalarOf } from './constant';
import { listOf, numberOf } from './node';
import { POINTWISE, type Recognised, recogniseFunction, type Scalar } from './pointwise';

/** A node as the importer reads it: one of the file's, or what several of them come to. */
export interface Step extends OnnxNode {
  /** of several nodes that are one function of each number */
  pointwise?: Recognised;
}

/** What the patterns see of a graph. */
export interface Wiring {
  /** in order of execution */
  steps: Step[];
  constant(name: string): Constant | undefined;
  /** values that follow from shapes alone, known once these are */
  ofShapes: ReadonlySet<string>;
  /** names of the graph's outputs, which are read from outside */
  outputs: ReadonlySet<string>;
}

/** Who makes and who reads each value. */
class Index {
  readonly makers = new Map<string, Step>();
  readonly readers = new Map<string, Step[]>();

  constructor(steps: readonly Step[]) {
    for (const step of steps) {
      for (const name of step.outputs) this.makers.set(name, step);
      for (const name of new Set(step.inputs)) {
        const list = this.readers.get(name);
        if (list) list.push(step);
        else this.readers.set(name, [step]);
      }
    }
  }
}

/** Ancestors that a function is followed back to: an activation has no longer chain. */
const FARTHEST = 12;

/** Puts functions of one number together: hard-swish of Add, Clip, Mul and Div, GELU of Erf, SiLU of Sigmoid and Mul. */
export function joinPointwise(wiring: Wiring): Step[] {
  const { steps, constant, outputs, ofShapes } = wiring;
  const index = new Index(steps);
  /** of each value the functions that it is of values before it, the nearest first */
  const known = new Map<string, Map<string, Scalar>>();
  const functionsOf = (name: string): Map<string, Scalar> => known.get(name) ?? new Map();
  for (const step of steps) {
    const operator = step.domain === '' || step.domain === 'com.microsoft' ? POINTWISE[step.op] : undefined;
    const [output] = step.outputs;
    if (!operator || step.outputs.length > 1 || step.inputs.some((name) => ofShapes.has(name))) continue;
    const inputs = step.inputs.map((name) => {
      if (name === '') return undefined;
      const value = constant(name);
      return value ? scalarOf(value) : name;
    });
    const isOther = step.inputs.some((name, i) => name !== '' && inputs[i] === undefined);
    const sources = inputs.filter((input) => typeof input === 'string');
    if (isOther || sources.length === 0) continue;
    const own = new Map<string, Scalar>();
    const candidates = [sources[0], ...functionsOf(sources[0]).keys()].slice(0, FARTHEST);
    for (const source of candidates) {
      const functions = inputs.map((input) => {
        if (typeof input !== 'string') return input;
        return input === source ? (x: number) => x : functionsOf(input).get(source);
      });
      if (functions.some((f, i) => f === undefined && inputs[i] !== undefined)) continue;
      const f = operator(functions, step);
      if (f) own.set(source, f);
    }
    known.set(output, own);
  }
  return replaceRegions(wiring, index, (step) => {
    const own = step.outputs.length === 1 ? known.get(step.outputs[0]) : undefined;
    if (!own) return undefined;
    // the longest that is a function that is known
    for (const [source, f] of [...own].reverse()) {
      const region = regionBetween(step, source, index, outputs, (name) => constant(name) !== undefined);
      const pointwise = region && recogniseFunction(f);
      if (region && pointwise)
        return { region, step: { ...step, op: 'Pointwise', domain: '', inputs: [source], pointwise } };
    }
    return undefined;
  });
}

/** Steps that lead from a value to a step and nowhere else; undefined where others read what they make. */
function regionBetween(
  last: Step,
  source: string,
  index: Index,
  outputs: ReadonlySet<string>,
  isConstant: (name: string) => boolean,
): Set<Step> | undefined {
  const region = new Set<Step>([last]);
  const open = [last];
  for (let step = open.pop(); step; step = open.pop()) {
    for (const name of step.inputs) {
      if (name === source || name === '' || isConstant(name)) continue;
      const maker = index.makers.get(name);
      if (!maker) return undefined;
      if (!region.has(maker)) open.push(maker);
      region.add(maker);
    }
  }
  for (const step of region) {
    if (step === last) continue;
    for (const name of step.outputs) {
      if (outputs.has(name)) return undefined;
      if ((index.readers.get(name) ?? []).some((reader) => !region.has(reader))) return undefined;
    }
  }
  return region;
}

/** Replaces regions by steps in the place of their last ones, from the end of the graph so that the largest win. */
function replaceRegions(
  { steps }: Wiring,
  _: Index,
  find: (step: Step) => { region: Set<Step>; step: Step } | undefined,
): Step[] {
  const gone = new Set<Step>();
  const replaced = new Map<Step, Step>();
  for (const step of [...steps].reverse()) {
    if (gone.has(step)) continue;
    const found = find(step);
    if (!found || [...found.region].some((other) => gone.has(other))) continue;
    for (const other of found.region) gone.add(other);
    replaced.set(step, found.step);
  }
  return steps.flatMap((step) => {
    const other = replaced.get(step);
    if (other) return [other];
    return gone.has(step) ? [] : [step];
  });
}

/**
 * Puts layer norms together that were taken apart: (x - mean) / sqrt(mean((x - mean)^2) + eps), and the products and sums by
 * a weight and a bias that follow.
 */
export function joinLayerNorms(wiring: Wiring, fresh: (constant: Constant) => string): Step[] {
  const { steps, constant, outputs } = wiring;
  const index = new Index(steps);
  const maker = (name: string, ...ops: string[]): Step | undefined => {
    const step = index.makers.get(name);
    return step && ops.includes(step.op) ? step : undefined;
  };
  /** the other input of a step with a constant, and that constant */
  const withConstant = (step: Step | undefined): { x: string; value: Constant; name: string } | undefined => {
    if (!step) return undefined;
    const at = step.inputs.findIndex((name) => constant(name) !== undefined);
    if (at < 0 || step.inputs.length !== 2) return undefined;
    return { x: step.inputs[1 - at], value: constant(step.inputs[at])!, name: step.inputs[at] };
  };
  const axesOf = (step: Step): string =>
    (listOf(step, 'axes') ?? Array.from(constant(step.inputs[1] ?? '')?.data ?? [])).join();
  /** a step and what it reads, where it is the division of a norm */
  const normalised = (division: Step): { x: string; eps: number; axes: string } | undefined => {
    const centred = maker(division.inputs[0], 'Sub');
    const root = maker(division.inputs[1], 'Sqrt');
    const sum = root && withConstant(maker(root.inputs[0], 'Add'));
    const variance = sum && maker(sum.x, 'ReduceMean');
    const square = variance && maker(variance.inputs[0], 'Pow', 'Mul');
    const mean = centred && maker(centred.inputs[1], 'ReduceMean');
    if (!centred || !sum || !variance || !square || !mean) return undefined;
    const x = centred.inputs[0];
    const difference = maker(square.inputs[0], 'Sub');
    const isSquare =
      square.op === 'Mul'
        ? square.inputs[0] === square.inputs[1]
        : scalarOf(constant(square.inputs[1]) ?? numbers([0], [])) === 2;
    const isOf =
      mean.inputs[0] === x &&
      difference?.inputs[0] === x &&
      maker(difference.inputs[1], 'ReduceMean') === mean;
    const eps = scalarOf(sum.value);
    const axes = axesOf(mean);
    if (!isSquare || !isOf || eps === undefined || axesOf(variance) !== axes) return undefined;
    return { x, eps, axes };
  };
  const replace = new Map<Step, Step>();
  const gone = new Set<Step>();
  for (const division of steps) {
    const norm = division.op === 'Div' && division.inputs.length === 2 ? normalised(division) : undefined;
    if (!norm) continue;
    let last = division;
    const affine: (string | undefined)[] = [];
    for (const op of ['Mul', 'Add']) {
      const readers = index.readers.get(last.outputs[0]) ?? [];
      const next = readers.length === 1 && readers[0].op === op ? readers[0] : undefined;
      const by = withConstant(next);
      if (!next || !by || by.value.data.length < 2 || outputs.has(last.outputs[0])) break;
      affine.push(by.name);
      last = next;
    }
    const region = regionBetween(last, norm.x, index, outputs, (name) => constant(name) !== undefined);
    if (!region) continue;
    for (const step of region) gone.add(step);
    const axes = fresh(numbers([norm.axes.split(',').length], norm.axes.split(',').map(Number), false));
    replace.set(last, {
      ...last,
      op: 'NormOverAxes',
      domain: '',
      inputs: [norm.x, axes, ...affine.map((name) => name ?? '')],
      attributes: new Map([['epsilon', norm.eps]]),
    });
  }
  return steps.flatMap((step) => {
    const other = replace.get(step);
    if (other) return [other];
    return gone.has(step) ? [] : [step];
  });
}

/**
 * Puts global response norms together: x + (weight * x * N + bias) with N = G / (mean of G over the channels + eps), G the L2 norm
 * over the pixels.
 */
export function joinResponseNorms(wiring: Wiring): Step[] {
  const { steps, constant, outputs } = wiring;
  const index = new Index(steps);
  const maker = (name: string, op: string) => {
    const step = index.makers.get(name);
    return step?.op === op ? step : undefined;
  };
  /** the step of that op that reads a value, and what else it reads */
  const next = (name: string, op: string) => {
    const reader = (index.readers.get(name) ?? []).find((step) => step.op === op && step.inputs.length === 2);
    return reader && { step: reader, by: reader.inputs[reader.inputs[0] === name ? 1 : 0] };
  };
  const replace = new Map<Step, Step>();
  const gone = new Set<Step>();
  for (const ratio of steps) {
    const norm = ratio.op === 'Div' ? maker(ratio.inputs[0], 'ReduceL2') : undefined;
    const divisor = norm && maker(ratio.inputs[1], 'Add');
    const mean = divisor?.inputs.map((name) => maker(name, 'ReduceMean')).find((step) => step !== undefined);
    const eps = divisor?.inputs
      .map((name) => scalarOf(constant(name) ?? numbers([0], [])))
      .find((n) => n !== undefined);
    if (!norm || mean?.inputs[0] !== norm.outputs[0] || eps === undefined) continue;
    const [x] = norm.inputs;
    const scaled = next(ratio.outputs[0], 'Mul');
    const weighted = scaled && next(scaled.step.outputs[0], 'Mul');
    const shifted = weighted && next(weighted.step.outputs[0], 'Add');
    const last = shifted && next(shifted.step.outputs[0], 'Add');
    if (scaled?.by !== x || last?.by !== x || !constant(weighted!.by) || !constant(shifted!.by)) continue;
    const region = regionBetween(last.step, x, index, outputs, (name) => constant(name) !== undefined);
    if (!region) continue;
    for (const step of region) gone.add(step);
    const inputs = [x, weighted!.by, shifted!.by];
    const attributes = new Map([['epsilon', eps]]);
    replace.set(last.step, { ...last.step, op: 'ResponseNorm', domain: '', inputs, attributes });
  }
  return steps.flatMap((step) => {
    const other = replace.get(step);
    if (other) return [other];
    return gone.has(step) ? [] : [step];
  });
}

export const epsilonOf = (step: Step): number => numberOf(step, 'epsilon', 1e-5);
