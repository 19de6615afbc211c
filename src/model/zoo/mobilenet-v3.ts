import type { Builder, Value } from '../builder';
import { convNorm, makeDivisible, squeezeExcitation } from './blocks';
import { type Definition, define, dropRate, flag, stemStride, widthMultiplier } from './define';

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

const mobilenetV3 = (name: string, blocks: Block[], lastChannels: number): Definition =>
  define(
    name,
    {
      width_mult: widthMultiplier,
      dropout: dropRate(0.2),
      stem_stride: stemStride,
      reduced_tail: flag(false),
      dilated: flag(false),
    },
    (net, x, { width_mult, dropout, stem_stride, reduced_tail, dilated }) => {
      const divider = reduced_tail ? 2 : 1;
      const adjust = (channels: number) => makeDivisible(channels * width_mult);
      let y = convNorm(net, 'features.0', x, adjust(16), 3, {
        stride: stem_stride,
        act: 'hardswish',
        norm,
      });
      blocks.forEach((block, i) => {
        const inTail = i >= blocks.length - TAIL;
        const [kernel, expanded, out, squeeze, act, stride] = block;
        y = invertedResidual(net, `features.${i + 1}.block`, y, {
          kernel,
          // the tail's first block expands what the stage before gives, whole
          expanded: adjust(i > blocks.length - TAIL ? expanded / divider : expanded),
          out: adjust(inTail ? out / divider : out),
          squeeze,
          act,
          stride,
          dilation: inTail && dilated ? 2 : 1,
        });
      });
      y = convNorm(net, `features.${blocks.length + 1}`, y, 6 * y.channels, 1, { act: 'hardswish', norm });
      y = net.linear('classifier.0', net.globalAvgPool(y), adjust(lastChannels / divider));
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
