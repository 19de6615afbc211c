import type { Builder, Value } from '../builder';

/** A depthwise convolution of 3 x 3 and one of 1 x 1, each with batch norm and ReLU: MobileNet's block. */
export function separable(net: Builder, name: string, x: Value, out: number, stride = 1): Value {
  const mixed = net.conv(`${name}.conv_dw`, x, x.channels, 3, { stride, groups: x.channels });
  const wide = net.conv(`${name}.conv_pw`, net.batchNorm(`${name}.bn1`, mixed, 'relu'), out, 1);
  return net.batchNorm(`${name}.bn2`, wide, 'relu');
}

/** The first layer of a network of such blocks: it keeps the size of the image. */
export const stem = (net: Builder, x: Value, out: number): Value =>
  net.batchNorm('bn_stem', net.conv('conv_stem', x, out, 3), 'relu');
