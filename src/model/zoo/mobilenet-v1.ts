import { makeDivisible } from './blocks';
import { define, dropRate, stemStride, widthMultiplier } from './define';

/** Channels, blocks and the stride of the first of each stage. */
const STAGES = [
  [64, 1, 1],
  [128, 2, 2],
  [256, 2, 2],
  [512, 6, 2],
  [1024, 2, 2],
];

/** MobileNetV1 (Howard et al. 2017) under timm's names, which calls the width 1 `mobilenetv1_100`. */
export const mobilenetV1 = define(
  'mobilenet_v1',
  { width_mult: widthMultiplier, drop_rate: dropRate(0), stem_stride: stemStride },
  (net, x, { width_mult: width, drop_rate, stem_stride }) => {
    let y = net.conv('conv_stem', x, makeDivisible(32 * width), 3, { stride: stem_stride });
    y = net.batchNorm('bn1', y, 'relu6');
    STAGES.forEach(([channels, blocks, first], stage) => {
      for (let i = 0; i < blocks; i++) {
        const name = `blocks.${stage}.${i}`;
        const stride = i === 0 ? first : 1;
        y = net.conv(`${name}.conv_dw`, y, y.channels, 3, { stride, groups: y.channels });
        y = net.batchNorm(`${name}.bn1`, y, 'relu6');
        y = net.conv(`${name}.conv_pw`, y, makeDivisible(channels * width), 1);
        y = net.batchNorm(`${name}.bn2`, y, 'relu6');
      }
    });
    return net.head('classifier', net.dropout(net.globalAvgPool(y), drop_rate));
  },
);
