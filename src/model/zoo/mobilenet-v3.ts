import * as v from 'valibot';
import type { Builder, Value } from '../builder';
import { convNorm, makeDivisible, squeezeExcitation } from './blocks';
import {
  type Argument,
  type Definition,
  define,
  dropRate,
  flag,
  stemStride,
  widthMultiplier,
} from './define';

/** Kernel, expanded channels, channels out, squeeze and excitation, activation, stride. */
type Block = [number, number, number, boolean, 'relu' | 'hardswish', number];

const SMALL: Block[] = [
  [3, 16, 16, true, 'relu', 2],
  [3, 72, 24, false, 'relu', 2],
  [3, 88, 24, false, 'relu', 1],
  [5, 96, 40, true, 'hardswish', 2],
  [5, 240, 40, true, 'hardswish', 1],
  [5, 240, 40, true, 'hardswish', 1],
  [5, 120, 48, true, 'hardswish', 1],
  [5, 144, 48, true, 'hardswish', 1],
  [5, 288, 96, true, 'hardswish', 2],
  [5, 576, 96, true, 'hardswish', 1],
  [5, 576, 96, true, 'hardswish', 1],
];

const LARGE: Block[] = [
  [3, 16, 16, false, 'relu', 1],
  [3, 64, 24, false, 'relu', 2],
  [3, 72, 24, false, 'relu', 1],
  [5, 72, 40, true, 'relu', 2],
  [5, 120, 40, true, 'relu', 1],
  [5, 120, 40, true, 'relu', 1],
  [3, 240, 80, false, 'hardswish', 2],
  [3, 200, 80, false, 'hardswish', 1],
  [3, 184, 80, false, 'hardswish', 1],
  [3, 184, 80, false, 'hardswish', 1],
  [3, 480, 112, true, 'hardswish', 1],
  [3, 672, 112, true, 'hardswish', 1],
  [5, 672, 160, true, 'hardswish', 2],
  [5, 960, 160, true, 'hardswish', 1],
  [5, 960, 160, true, 'hardswish', 1],
];

/** Blocks of the tail, the last stage: what `reduced_tail` halves and `dilated` keeps large. */
const TAIL = 3;
const norm = { eps: 0.001, momentum: 0.01 };

/**
 * What a width multiplies. torchvision: every number of channels. timm: what the blocks give; they expand by a factor on
 * what they get, the last layers stay as wide as published, and below 0.75 the stem does too (`fix_stem`).
 */
const widthScaling: Argument<'torchvision' | 'timm'> = {
  schema: v.picklist(['torchvision', 'timm']),
  expects: 'torchvision or timm',
  fallback: 'torchvision',
};
const STEM = 16;
/** Narrower networks of timm keep the stem's channels. */
const FIXED_STEM = 0.75;

const mobilenetV3 = (name: string, blocks: Block[], lastChannels: number): Definition =>
  define(
    name,
    {
      width_mult: widthMultiplier,
      dropout: dropRate(0.2),
      stem_stride: stemStride,
      reduced_tail: flag(false),
      dilated: flag(false),
      width_scaling: widthScaling,
    },
    (net, x, { width_mult, dropout, stem_stride, reduced_tail, dilated, width_scaling }) => {
      const divider = reduced_tail ? 2 : 1;
      const timm = width_scaling === 'timm';
      const adjust = (channels: number) => makeDivisible(channels * width_mult);
      const stem = timm && width_mult < FIXED_STEM ? STEM : adjust(STEM);
      let y = convNorm(net, 'features.0', x, stem, 3, { stride: stem_stride, act: 'hardswish', norm });
      blocks.forEach((block, i) => {
        const inTail = i >= blocks.length - TAIL;
        const [kernel, published, out, squeeze, act, stride] = block;
        const factor = published / (i === 0 ? STEM : blocks[i - 1][2]);
        // the tail's first block expands what the stage before gives, whole
        const expanded = adjust(i > blocks.length - TAIL ? published / divider : published);
        y = invertedResidual(net, `features.${i + 1}.block`, y, {
          kernel,
          expanded: timm ? makeDivisible(y.channels * factor) : expanded,
          out: adjust(inTail ? out / divider : out),
          squeeze,
          act,
          stride,
          dilation: inTail && dilated ? 2 : 1,
        });
      });
      const [, , given] = blocks[blocks.length - 1];
      const wide = timm ? adjust((6 * given) / divider) : 6 * y.channels;
      y = convNorm(net, `features.${blocks.length + 1}`, y, wide, 1, { act: 'hardswish', norm });
      const last = lastChannels / divider;
      y = net.linear('classifier.0', net.globalAvgPool(y), timm ? last : adjust(last));
      return net.head('classifier.3', net.dropout(net.activation(y, 'hardswish'), dropout));
    },
  );

/** MobileNetV3-Small (Howard et al. 2019), torchvision's names. */
export const mobilenetV3Small = mobilenetV3('mobilenet_v3_small', SMALL, 1024);
/** MobileNetV3-Large (Howard et al. 2019), torchvision's names. */
export const mobilenetV3Large = mobilenetV3('mobilenet_v3_large', LARGE, 1280);

interface BlockOptions {
  kernel: number;
  expanded: number;
  out: number;
  squeeze: boolean;
  act: 'relu' | 'hardswish';
  stride: number;
  dilation: number;
}

function invertedResidual(net: Builder, name: string, x: Value, b: BlockOptions): Value {
  let y = x;
  let layer = 0;
  const next = () => `${name}.${layer++}`;
  if (b.expanded !== x.channels) y = convNorm(net, next(), y, b.expanded, 1, { act: b.act, norm });
  y = convNorm(net, next(), y, b.expanded, b.kernel, {
    stride: b.dilation > 1 ? 1 : b.stride,
    dilation: b.dilation,
    groups: b.expanded,
    act: b.act,
    norm,
  });
  if (b.squeeze) {
    y = squeezeExcitation(net, next(), y, makeDivisible(Math.floor(b.expanded / 4)), 'relu', 'hardsigmoid');
  }
  y = convNorm(net, next(), y, b.out, 1, { norm });
  // a dilated block keeps its size but is no residual one, as if its stride were there
  return b.stride === 1 && x.channels === b.out ? net.add(x, y) : y;
}
