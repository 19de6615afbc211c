import type { Activation } from '../../ops/activation';
import type { Builder, Value } from '../builder';

/** Arguments of a batch norm that are not PyTorch's defaults. */
export interface NormOptions {
  eps?: number;
  momentum?: number;
}

export interface ConvNormOptions {
  stride?: number;
  dilation?: number;
  groups?: number;
  act?: Activation;
  norm?: NormOptions;
}

/** torchvision's Conv2dNormActivation: convolution `<name>.0` without bias, batch norm `<name>.1`, activation. */
export function convNorm(
  net: Builder,
  name: string,
  x: Value,
  out: number,
  kernel: number,
  { stride = 1, dilation = 1, groups = 1, act, norm }: ConvNormOptions = {},
): Value {
  const padding = ((kernel - 1) >> 1) * dilation;
  const y = net.conv(`${name}.0`, x, out, kernel, { stride, padding, dilation, groups });
  return net.batchNorm(`${name}.1`, y, act, norm);
}

/** torchvision's SqueezeExcitation: x * gate(fc2(act(fc1(mean over space of x)))). */
export function squeezeExcitation(
  net: Builder,
  name: string,
  x: Value,
  squeeze: number,
  act: Activation,
  gate: Activation,
): Value {
  let s = net.conv(`${name}.fc1`, net.globalAvgPool(x), squeeze, 1, { bias: true });
  s = net.conv(`${name}.fc2`, net.activation(s, act), x.channels, 1, { bias: true });
  return net.mul(x, net.activation(s, gate));
}

/** The multiple of a divisor nearest to v, at least that, and not more than a tenth below v. */
export function makeDivisible(v: number, divisor = 8): number {
  const rounded = Math.max(divisor, Math.floor((v + divisor / 2) / divisor) * divisor);
  return rounded < 0.9 * v ? rounded + divisor : rounded;
}
