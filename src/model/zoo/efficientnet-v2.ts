import type { Builder, Value } from '../builder';
import { convNorm, makeDivisible } from './blocks';
import { define, dropRate, stemStride } from './define';
import { type BlockOptions, mbConv } from './efficientnet';

/** Expansion, stride of the first block, channels, blocks; the first three stages are of fused blocks. */
const STAGES = [
  [1, 1, 24, 2],
  [4, 2, 48, 4],
  [4, 2, 64, 4],
  [4, 2, 128, 6],
  [6, 1, 160, 9],
  [6, 2, 256, 15],
];
const FUSED = 3;
const BLOCKS = STAGES.reduce((sum, [, , , blocks]) => sum + blocks, 0);
const norm = { eps: 1e-3 };

/** EfficientNetV2-S (Tan and Le 2021), torchvision's names. */
export const efficientnetV2S = define(
  'efficientnet_v2_s',
  { dropout: dropRate(0.2), stochastic_depth_prob: dropRate(0.2), stem_stride: stemStride },
  (net, x, { dropout, stochastic_depth_prob, stem_stride }) => {
    let y = convNorm(net, 'features.0', x, 24, 3, { stride: stem_stride, act: 'silu', norm });
    let index = 0;
    STAGES.forEach(([expansion, stride, out, blocks], s) => {
      for (let i = 0; i < blocks; i++) {
        const options = { expansion, kernel: 3, stride: i === 0 ? stride : 1, out, norm };
        const drop = (stochastic_depth_prob * index++) / BLOCKS;
        const block = s < FUSED ? fusedMbConv : mbConv;
        y = block(net, `features.${s + 1}.${i}.block`, y, options, drop);
      }
    });
    y = convNorm(net, `features.${STAGES.length + 1}`, y, 1280, 1, { act: 'silu', norm });
    return net.head('classifier.1', net.dropout(net.globalAvgPool(y), dropout));
  },
  384,
);

/** One dense convolution in the place of a pointwise and a depthwise one. */
function fusedMbConv(net: Builder, name: string, x: Value, b: BlockOptions, drop: number): Value {
  const expanded = makeDivisible(x.channels * b.expansion);
  const { stride, norm } = b;
  let y = x;
  if (expanded === x.channels)
    y = convNorm(net, `${name}.0`, x, b.out, b.kernel, { stride, act: 'silu', norm });
  else {
    y = convNorm(net, `${name}.0`, x, expanded, b.kernel, { stride, act: 'silu', norm });
    y = convNorm(net, `${name}.1`, y, b.out, 1, { norm });
  }
  return stride === 1 && x.channels === b.out ? net.add(net.stochasticDepth(y, drop), x) : y;
}
