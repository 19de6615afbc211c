import * as v from 'valibot';
import type { Builder, Value } from '../builder';
import { convNorm, makeDivisible } from './blocks';
import { type Argument, count, define, dropRate, stemStride, widthMultiplier } from './define';

/** Expansion, channels, blocks, stride of the first block. */
type Stage = [expansion: number, channels: number, blocks: number, stride: number];

const STAGES: Stage[] = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
];

/** torchvision's `inverted_residual_setting`: the stages. */
const stages: Argument<Stage[]> = {
  schema: v.pipe(
    v.array(v.tuple([count(64), count(4096), count(64), count(2)])),
    v.minLength(1),
    v.maxLength(64),
  ),
  expects: 'a list of [expansion, channels, blocks, stride]',
  fallback: STAGES,
};

/** MobileNetV2 (Sandler et al. 2018), torchvision's names. */
export const mobilenetV2 = define(
  'mobilenet_v2',
  {
    width_mult: widthMultiplier,
    inverted_residual_setting: stages,
    dropout: dropRate(0.2),
    stem_stride: stemStride,
  },
  (net, x, { width_mult: width, inverted_residual_setting, dropout, stem_stride }) => {
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
  },
);

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
