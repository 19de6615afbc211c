import type { Activation } from '../../ops/activation';
import type { Builder, ConvOptions, Value } from '../builder';
import { type Argument, type Definition, define, dropRate, flag, fourStages, positive } from './define';
import { largeKernel, oddSide, oddSides } from './large-kernel';

/** The sides of the kernels of the four stages. */
const kernels = oddSides([31, 29, 27, 13], 'four odd numbers from 1 to 127');

/** The side of the kernel beside the large one. */
const smallKernel: Argument<number> = {
  schema: oddSide(31),
  expects: 'an odd number from 1 to 31',
  fallback: 5,
};

/**
 * RepLKNet (Ding et al. 2022), the names of its authors (github.com/DingXiaoH/RepLKNet-pytorch). In training a depthwise kernel of
 * 31 x 31 has one of 5 x 5 beside it, each behind a batch norm; with `small_kernel_merged` both are one convolution.
 */
const replknet = (name: string, layers: number[], channels: number[]): Definition =>
  define(
    name,
    {
      large_kernel_sizes: kernels,
      layers: fourStages(layers),
      channels: fourStages(channels, 4096),
      drop_path_rate: dropRate(0.3),
      small_kernel: smallKernel,
      dw_ratio: positive(1),
      ffn_ratio: positive(4),
      small_kernel_merged: flag(false),
    },
    (net, x, a) => {
      const total = a.layers.reduce((sum, n) => sum + n, 0);
      const [base] = a.channels;
      let index = 0;
      let y = convNorm(net, 'stem.0', x, base, 3, { stride: 2 }, 'relu');
      y = convNorm(net, 'stem.1', y, base, 3, { groups: base }, 'relu');
      y = convNorm(net, 'stem.2', y, base, 1, {}, 'relu');
      y = convNorm(net, 'stem.3', y, base, 3, { stride: 2, groups: base }, 'relu');
      const features = net.ordered(['stages', 'transitions'], () => {
        a.layers.forEach((blocks, stage) => {
          if (stage > 0) y = transition(net, `transitions.${stage - 1}`, y, a.channels[stage]);
          for (let i = 0; i < blocks; i++) {
            const drop = (a.drop_path_rate * index++) / Math.max(1, total - 1);
            const name = `stages.${stage}.blocks.`;
            const block = { ...a, kernel: a.large_kernel_sizes[stage], drop };
            y = largeKernelBlock(net, name + 2 * i, y, block);
            y = feedForward(net, name + (2 * i + 1), y, a.ffn_ratio, drop);
          }
        });
        return y;
      });
      return net.head('head', net.globalAvgPool(net.batchNorm('norm', features)));
    },
  );

/** `replknet_tiny` is a small kind of ours. */
export const replknets = [
  replknet('replknet31b', [2, 2, 18, 2], [128, 256, 512, 1024]),
  replknet('replknet_tiny', [1, 1, 4, 1], [32, 64, 128, 256]),
];

/** A convolution `<name>.conv` and its batch norm `<name>.bn`. */
function convNorm(
  net: Builder,
  name: string,
  x: Value,
  out: number,
  kernel: number,
  options: ConvOptions = {},
  act: Activation = 'none',
): Value {
  return net.batchNorm(`${name}.bn`, net.conv(`${name}.conv`, x, out, kernel, options), act);
}

function transition(net: Builder, name: string, x: Value, out: number): Value {
  const y = convNorm(net, `${name}.0`, x, out, 1, {}, 'relu');
  return convNorm(net, `${name}.1`, y, out, 3, { stride: 2, groups: out }, 'relu');
}

interface LargeKernel {
  kernel: number;
  small_kernel: number;
  dw_ratio: number;
  small_kernel_merged: boolean;
  drop: number;
}

function largeKernelBlock(net: Builder, name: string, x: Value, b: LargeKernel): Value {
  const wide = Math.floor(x.channels * b.dw_ratio);
  const modules = ['pw1', 'pw2', 'large_kernel', 'prelkb_bn'].map((module) => `${name}.${module}`);
  const branch = net.ordered(modules, () => {
    const y = convNorm(net, `${name}.pw1`, net.batchNorm(`${name}.prelkb_bn`, x), wide, 1, {}, 'relu');
    const convolved = largeKernel(net, `${name}.large_kernel`, y, {
      side: b.kernel,
      branches: [
        ['lkb_origin', b.kernel],
        ['small_conv', b.small_kernel],
      ],
      isMerged: b.small_kernel_merged,
    });
    return convNorm(net, `${name}.pw2`, net.activation(convolved, 'relu'), x.channels, 1);
  });
  return net.add(net.stochasticDepth(branch, b.drop), x);
}

function feedForward(net: Builder, name: string, x: Value, ratio: number, drop: number): Value {
  const wide = Math.floor(x.channels * ratio);
  let y = convNorm(net, `${name}.pw1`, net.batchNorm(`${name}.preffn_bn`, x), wide, 1, {}, 'gelu');
  y = convNorm(net, `${name}.pw2`, y, x.channels, 1);
  return net.add(net.stochasticDepth(y, drop), x);
}
