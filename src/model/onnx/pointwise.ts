/** Functions of one number that exporters write as one operator or as many, known by what they compute. */
import type { OnnxNode } from '../../io/onnx/graph';
import type { Activation } from '../../ops/activation';
import { numberOf, textOf } from './node';

export type Scalar = (x: number) => number;

const clamp = (x: number, low: number, high: number): number => Math.min(Math.max(x, low), high);
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const softplus = (x: number): number => (x > 30 ? x : Math.log1p(Math.exp(x)));

/** Abramowitz and Stegun 7.1.26, good to 1.5e-7. */
function erf(x: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const poly =
    t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return Math.sign(x) * (1 - poly * Math.exp(-x * x));
}

const gelu = (x: number): number => 0.5 * x * (1 + erf(x * Math.SQRT1_2));
const elu = (x: number): number => (x < 0 ? Math.expm1(x) : x);
const mish = (x: number): number => x * Math.tanh(softplus(x));
const geluByTanh = (x: number): number =>
  0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

type Operator = (inputs: (Scalar | number | undefined)[], node: OnnxNode) => Scalar | undefined;

const at = (input: Scalar | number | undefined, x: number): number =>
  typeof input === 'function' ? input(x) : (input ?? Number.NaN);

const of =
  (f: (x: number, node: OnnxNode) => number): Operator =>
  ([a], node) =>
  (x) =>
    f(at(a, x), node);
const two =
  (f: (a: number, b: number) => number): Operator =>
  ([a, b]) =>
  (x) =>
    f(at(a, x), at(b, x));

/** Operators that work number by number. */
export const POINTWISE: Record<string, Operator> = {
  Identity: of((x) => x),
  Dropout: of((x) => x),
  Relu: of((x) => Math.max(x, 0)),
  LeakyRelu: of((x, node) => (x < 0 ? numberOf(node, 'alpha', 0.01) * x : x)),
  PRelu: two((x, slope) => (x < 0 ? slope * x : x)),
  ThresholdedRelu: of((x, node) => (x > numberOf(node, 'alpha', 1) ? x : 0)),
  Clip: ([a, low, high], node) => {
    const [min, max] = [low ?? numberOf(node, 'min', -Infinity), high ?? numberOf(node, 'max', Infinity)];
    return (x) => clamp(at(a, x), at(min, x), at(max, x));
  },
  Sigmoid: of(sigmoid),
  HardSigmoid: of((x, node) => clamp(numberOf(node, 'alpha', 0.2) * x + numberOf(node, 'beta', 0.5), 0, 1)),
  HardSwish: of((x) => x * clamp(x / 6 + 0.5, 0, 1)),
  Elu: of((x, node) => (x < 0 ? numberOf(node, 'alpha', 1) * Math.expm1(x) : x)),
  Selu: of((x, node) => {
    const [alpha, gamma] = [numberOf(node, 'alpha', 1.6732632), numberOf(node, 'gamma', 1.050701)];
    return gamma * (x < 0 ? alpha * Math.expm1(x) : x);
  }),
  Erf: of(erf),
  Tanh: of(Math.tanh),
  Softplus: of(softplus),
  Softsign: of((x) => x / (1 + Math.abs(x))),
  Mish: of(mish),
  Gelu: of((x, node) => (textOf(node, 'approximate', 'none') === 'tanh' ? geluByTanh : gelu)(x)),
  Swish: of((x, node) => x * sigmoid(numberOf(node, 'alpha', 1) * x)),
  QuickGelu: of((x, node) => x * sigmoid(numberOf(node, 'alpha', 1.702) * x)),
  Exp: of(Math.exp),
  Log: of(Math.log),
  Sqrt: of(Math.sqrt),
  Abs: of(Math.abs),
  Neg: of((x) => -x),
  Reciprocal: of((x) => 1 / x),
  Add: two((a, b) => a + b),
  Sub: two((a, b) => a - b),
  Mul: two((a, b) => a * b),
  Div: two((a, b) => a / b),
  Pow: two((a, b) => a ** b),
  Max: two(Math.max),
  Min: two(Math.min),
};

const KNOWN: Record<Exclude<Activation, 'none'>, Scalar> = {
  relu: (x) => Math.max(x, 0),
  relu6: (x) => clamp(x, 0, 6),
  hardswish: (x) => x * clamp(x / 6 + 0.5, 0, 1),
  hardsigmoid: (x) => clamp(x / 6 + 0.5, 0, 1),
  silu: (x) => x * sigmoid(x),
  sigmoid,
  gelu,
  gelu_tanh: geluByTanh,
  elu,
  tanh: Math.tanh,
  softplus,
  mish,
  negative: (x) => Math.min(x, 0),
  rsqrt: (x) => (x > 0 ? 1 / Math.sqrt(x) : 0),
};

/**
 * `outer * activation(inner * x + offset) + shift`; `outer * x + shift` where there is no activation. With a share, what is below zero is that
 * share of it: `outer * (relu(x) + share * activation(min(x, 0)))`, as in the leaky ReLU (without an activation), ELU and SELU.
 */
export interface Recognised {
  activation?: Exclude<Activation, 'none'>;
  share?: number;
  inner: number;
  offset?: number;
  outer: number;
  shift: number;
}

/** Close by where functions bend, and far out, where a clip at 20 is no ReLU; e^600 is still a number. */
const SAMPLES = [
  ...Array.from({ length: 97 }, (_, i) => (i - 48) * 0.251),
  ...[18, 40, 90, 200, 600].flatMap((x) => [-x, x]),
];

const equal = (f: Scalar, g: Scalar): boolean =>
  SAMPLES.every((x) => Math.abs(f(x) - g(x)) <= 1e-5 * (1 + Math.abs(g(x))));

/** What a function is; undefined where it is none that there is a layer for. */
export function recogniseFunction(f: Scalar): Recognised | undefined {
  for (const activation of Object.keys(KNOWN) as (keyof typeof KNOWN)[])
    if (equal(f, KNOWN[activation])) return { activation, inner: 1, outer: 1, shift: 0 };
  const scaled: [keyof typeof KNOWN, inner: number, outer: number][] = [
    // Keras and Paddle have a slope of a fifth
    ['hardsigmoid', ((f(1e-3) - f(-1e-3)) / 2e-3) * 6, 1],
    // x * sigmoid(1.702 x)
    ['silu', Math.log(f(1) / (1 - f(1))), 1 / Math.log(f(1) / (1 - f(1)))],
  ];
  for (const [activation, inner, outer] of scaled)
    if (Number.isFinite(inner) && equal(f, (x) => outer * KNOWN[activation](inner * x)))
      return { activation, inner, outer, shift: 0 };
  const [shift, slope] = [f(0), f(1) - f(0)];
  for (const activation of [undefined, 'elu'] as const) {
    const below = activation ? elu : (x: number) => x;
    const share = f(-1) / below(-1) / slope;
    const isBent = Number.isFinite(share) && Math.abs(share) > 1e-5 && Math.abs(share - 1) > 1e-5;
    if (isBent && equal(f, (x) => slope * (x < 0 ? share * below(x) : x)))
      return { activation, share, inner: 1, outer: slope, shift: 0 };
  }
  if (equal(f, (x) => slope * x + shift)) return { inner: 1, outer: slope, shift };
  // a clip between any two numbers, or on one side
  const [low, high] = [f(-Infinity), f(Infinity)];
  const inner = 6 / (high - low);
  if (inner > 0 && inner < Infinity && equal(f, (x) => clamp(x, low, high)))
    return { activation: 'relu6', inner, offset: -low * inner, outer: 1 / inner, shift: low };
  if (Number.isFinite(low) && equal(f, (x) => Math.max(x, low)))
    return { activation: 'relu', inner: 1, offset: -low, outer: 1, shift: low };
  if (Number.isFinite(high) && equal(f, (x) => Math.min(x, high)))
    return { activation: 'relu', inner: -1, offset: high, outer: -1, shift: high };
  return undefined;
}
