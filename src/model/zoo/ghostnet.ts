import type { Builder, Value } from '../builder';
import { makeDivisible } from './blocks';
import { type Definition, define, dropRate, positive, stemStride } from './define';

/** Kernel, channels in the middle, channels out, whether it squeezes, stride; a list a stage. */
const STAGES: [kernel: number, middle: number, out: number, squeezes: boolean, stride: number][][] = [
  [[3, 16, 16, false, 1]],
  [[3, 48, 24, false, 2]],
  [[3, 72, 24, false, 1]],
  [[5, 72, 40, true, 2]],
  [[5, 120, 40, true, 1]],
  [[3, 240, 80, false, 2]],
  [
    [3, 200, 80, false, 1],
    [3, 184, 80, false, 1],
    [3, 184, 80, false, 1],
    [3, 480, 112, true, 1],
    [3, 672, 112, true, 1],
  ],
  [[5, 672, 160, true, 2]],
  [
    [5, 960, 160, false, 1],
    [5, 960, 160, true, 1],
    [5, 960, 160, false, 1],
    [5, 960, 160, true, 1],
  ],
];

const ghostnet = (name: string, factor: number): Definition =>
  define(
    name,
    { width: positive(factor), drop_rate: dropRate(0.2), stem_stride: stemStride },
    (net, x, { width, drop_rate, stem_stride }) => {
      const scaled = (channels: number) => makeDivisible(channels * width, 4);
      let y = net.conv('conv_stem', x, scaled(16), 3, { stride: stem_stride });
      y = net.batchNorm('bn1', y, 'relu');
      STAGES.forEach((blocks, stage) => {
        blocks.forEach(([kernel, middle, out, squeezes, stride], i) => {
          const options = { kernel, middle: scaled(middle), out: scaled(out), squeezes, stride };
          y = ghostBottleneck(net, `blocks.${stage}.${i}`, y, options);
        });
      });
      const last = `blocks.${STAGES.length}.0`;
      y = net.batchNorm(`${last}.bn1`, net.conv(`${last}.conv`, y, scaled(960), 1), 'relu');
      y = net.conv('conv_head', net.globalAvgPool(y), 1280, 1, { bias: true });
      return net.head('classifier', net.dropout(net.activation(y, 'relu'), drop_rate));
    },
  );

/** GhostNet (Han et al. 2020), timm's names. */
export const ghostnets = [
  ghostnet('ghostnet_050', 0.5),
  ghostnet('ghostnet_100', 1),
  ghostnet('ghostnet_130', 1.3),
];

interface BottleneckOptions {
  kernel: number;
  middle: number;
  out: number;
  squeezes: boolean;
  stride: number;
}

/** Half of the channels by a pointwise convolution, the other half of these by a depthwise one. */
function ghostModule(net: Builder, name: string, x: Value, out: number, act: 'relu' | 'none'): Value {
  const half = Math.ceil(out / 2);
  const first = net.batchNorm(`${name}.primary_conv.1`, net.conv(`${name}.primary_conv.0`, x, half, 1), act);
  const cheap = net.conv(`${name}.cheap_operation.0`, first, half, 3, { groups: half });
  const all = net.concat([first, net.batchNorm(`${name}.cheap_operation.1`, cheap, act)]);
  return 2 * half === out ? all : net.slice(all, 0, out);
}

function ghostBottleneck(net: Builder, name: string, x: Value, b: BottleneckOptions): Value {
  const { kernel, middle, out, stride } = b;
  let y = ghostModule(net, `${name}.ghost1`, x, middle, 'relu');
  if (stride > 1) {
    y = net.conv(`${name}.conv_dw`, y, middle, kernel, { stride, groups: middle });
    y = net.batchNorm(`${name}.bn_dw`, y);
  }
  if (b.squeezes) y = squeeze(net, `${name}.se`, y, makeDivisible(middle / 4, 4));
  y = ghostModule(net, `${name}.ghost2`, y, out, 'none');
  if (stride === 1 && x.channels === out) return net.add(y, x);
  const shortcut = `${name}.shortcut`;
  let s = net.conv(`${shortcut}.0`, x, x.channels, kernel, { stride, groups: x.channels });
  s = net.conv(`${shortcut}.2`, net.batchNorm(`${shortcut}.1`, s), out, 1);
  return net.add(y, net.batchNorm(`${shortcut}.3`, s));
}

/** timm's SqueezeExcite. */
function squeeze(net: Builder, name: string, x: Value, channels: number): Value {
  let s = net.conv(`${name}.conv_reduce`, net.globalAvgPool(x), channels, 1, { bias: true });
  s = net.conv(`${name}.conv_expand`, net.activation(s, 'relu'), x.channels, 1, { bias: true });
  return net.mul(x, net.activation(s, 'hardsigmoid'));
}
