import type { Activation } from '../../src/ops/activation';
import type { Values } from './values';

const clamp = (x: number, low: number, high: number) => Math.min(Math.max(x, low), high);
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** erf by its Taylor series, exact to float64 for |x| < 4; beyond 6 it is 1. */
function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let k = 1; k < 120; k++) {
    term *= (-x * x) / k;
    sum += term / (2 * k + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

const FUNCTIONS: Record<Activation, (x: number) => number> = {
  none: (x) => x,
  relu: (x) => Math.max(x, 0),
  relu6: (x) => clamp(x, 0, 6),
  hardswish: (x) => (x * clamp(x + 3, 0, 6)) / 6,
  hardsigmoid: (x) => clamp(x + 3, 0, 6) / 6,
  silu: (x) => x * sigmoid(x),
  sigmoid,
  gelu: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  gelu_tanh: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  elu: (x) => (x > 0 ? x : Math.expm1(x)),
  tanh: Math.tanh,
  softplus: (x) => Math.log1p(Math.exp(x)),
  mish: (x) => x * Math.tanh(Math.log1p(Math.exp(x))),
  negative: (x) => Math.min(x, 0),
  rsqrt: (x) => (x > 0 ? x ** -0.5 : 0),
};

/** The activation of each number. */
export const activation = (kind: Activation, { shape, data }: Values): Values => ({
  shape,
  data: data.map(FUNCTIONS[kind]),
});
