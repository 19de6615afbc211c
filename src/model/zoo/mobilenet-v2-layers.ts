import type { Builder, Value } from '../builder';
import { convNorm, makeDivisible } from './blocks';

/** Expansion, channels, blocks, stride of the first block. */
export type Stage = [expansion: number, channels: number, blocks: number, stride: number];

/** torchvision's arguments. */
export interface MobileNetV2Arguments {
  width_mult: number;
  inverted_residual_setting: readonly Stage[];
  dropout: number;
  stem_stride: 1 | 2;
}

/** The layers of MobileNetV2, apart from what its arguments may be: the built-in network needs no more. */
export function mobilenetV2Layers(
  net: Builder,
  x: Value,
  { width_mult: width, inverted_residual_setting, dropout, stem_stride }: MobileNetV2Arguments,
): Value {
  let index = 0;
  const name = () => `features.${index++}`;
  let y = convNorm(net, name(), x, makeDivisible(32 * width), 3, { stride: stem_stride, act: 'relu6' });
  for (const [expansion, channels, blocks, stride] of inverted_residual_setting) {
    for (let i = 0; i < blocks; i++) {
      const out = makeDivisible(channels * width);
      y = invertedResidual(net, `${name()}.conv`, y, out, i === 0 ? stride : 1, expansion);
    }
  }
  y = convNorm(net, name(), y, makeDivisible(1280 * Math.max(1, width)), 1, { act: 'relu6' });
  return net.head('classifier.1', net.dropout(net.globalAvgPool(y), dropout));
}

function invertedResidual(
  net: Builder,
  name: string,
  x: Value,
  out: number,
  stride: number,
  expansion: number,
): Value {
  let y = x;
  let layer = 0;
  if (expansion !== 1) {
    y = convNorm(net, `${name}.${layer++}`, y, x.channels * expansion, 1, { act: 'relu6' });
  }
  y = convNorm(net, `${name}.${layer++}`, y, y.channels, 3, { stride, groups: y.channels, act: 'relu6' });
  y = net.conv(`${name}.${layer++}`, y, out, 1);
  y = net.batchNorm(`${name}.${layer}`, y);
  return stride === 1 && x.channels === out ? net.add(x, y) : y;
}
