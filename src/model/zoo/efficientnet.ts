import type { Builder, Value } from '../builder';
import { convNorm, makeDivisible, type NormOptions, squeezeExcitation } from './blocks';
import { type Definition, define, dropRate, stemStride } from './define';

/** Of EfficientNet-B0: expansion, kernel, stride of the first block, channels, blocks. */
export const STAGES = [
  [1, 3, 1, 16, 1],
  [6, 3, 2, 24, 2],
  [6, 5, 2, 40, 2],
  [6, 3, 2, 80, 3],
  [6, 5, 1, 112, 3],
  [6, 5, 2, 192, 4],
  [6, 3, 1, 320, 1],
];

/** @param size side of the images that it was made for, in pixels */
const efficientnet = (
  name: string,
  width: number,
  depth: number,
  dropout: number,
  size: number,
): Definition =>
  define(
    name,
    { dropout: dropRate(dropout), stochastic_depth_prob: dropRate(0.2), stem_stride: stemStride },
    (net, x, { dropout, stochastic_depth_prob, stem_stride }) => {
      const scaled = (channels: number) => makeDivisible(channels * width);
      const repeats = STAGES.map(([, , , , blocks]) => Math.ceil(blocks * depth));
      const total = repeats.reduce((a, b) => a + b, 0);
      let y = convNorm(net, 'features.0', x, scaled(32), 3, { stride: stem_stride, act: 'silu' });
      let index = 0;
      STAGES.forEach(([expansion, kernel, stride, channels], s) => {
        const out = scaled(channels);
        for (let i = 0; i < repeats[s]; i++) {
          const options = { expansion, kernel, stride: i === 0 ? stride : 1, out };
          const drop = (stochastic_depth_prob * index++) / total;
          y = mbConv(net, `features.${s + 1}.${i}.block`, y, options, drop);
        }
      });
      y = convNorm(net, `features.${STAGES.length + 1}`, y, 4 * y.channels, 1, { act: 'silu' });
      return net.head('classifier.1', net.dropout(net.globalAvgPool(y), dropout));
    },
    size,
  );

/** EfficientNet (Tan and Le 2019), torchvision's names. */
export const efficientnets = [
  efficientnet('efficientnet_b0', 1, 1, 0.2, 224),
  efficientnet('efficientnet_b1', 1, 1.1, 0.2, 240),
  efficientnet('efficientnet_b2', 1.1, 1.2, 0.3, 288),
  efficientnet('efficientnet_b3', 1.2, 1.4, 0.3, 300),
  efficientnet('efficientnet_b4', 1.4, 1.8, 0.4, 380),
];

export interface BlockOptions {
  expansion: number;
  kernel: number;
  stride: number;
  out: number;
  norm?: NormOptions;
}

/** torchvision's MBConv: expanded, depthwise, squeezed, projected. */
export function mbConv(net: Builder, name: string, x: Value, b: BlockOptions, drop: number): Value {
  const inputs = x.channels;
  const { stride, norm } = b;
  const expanded = makeDivisible(inputs * b.expansion);
  let layer = 0;
  const next = () => `${name}.${layer++}`;
  let y = x;
  if (expanded !== inputs) y = convNorm(net, next(), y, expanded, 1, { act: 'silu', norm });
  y = convNorm(net, next(), y, expanded, b.kernel, { stride, groups: expanded, act: 'silu', norm });
  y = squeezeExcitation(net, next(), y, Math.max(1, Math.floor(inputs / 4)), 'silu', 'sigmoid');
  y = convNorm(net, next(), y, b.out, 1, { norm });
  return stride === 1 && inputs === b.out ? net.add(net.stochasticDepth(y, drop), x) : y;
}
