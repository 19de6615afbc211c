import * as v from 'valibot';
import type { Builder, Value } from '../builder';
import {
  type Argument,
  count,
  type Definition,
  define,
  dropRate,
  flag,
  fourStages,
  positive,
} from './define';
import { patchStages, pointwiseHalf } from './patch-stages';

/** The long side of the kernels of the four stages, and the short one of all. */
const kernels: Argument<number[]> = {
  schema: v.pipe(
    v.array(
      v.pipe(
        count(127),
        v.check((k) => k % 2 === 1),
      ),
    ),
    v.length(5),
  ),
  expects: 'five odd numbers from 1 to 127',
  fallback: [51, 49, 47, 13, 5],
};

/**
 * SLaK (Liu et al. 2022), the names of its authors (github.com/VITA-Group/SLaK), where the sparsity is a matter of training. With
 * `Decom` a kernel of 51 x 51 is the sum of 51 x 5, 5 x 51 and 5 x 5, each behind a batch norm; with `small_kernel_merged` it is
 * one convolution.
 */
const slak = (name: string, depths: number[], dims: number[], widthFactor = 1): Definition =>
  define(
    name,
    {
      depths: fourStages(depths),
      dims: fourStages(dims, 4096),
      kernel_size: kernels,
      width_factor: positive(widthFactor),
      Decom: flag(true),
      small_kernel_merged: flag(false),
      drop_path_rate: dropRate(0),
      layer_scale_init_value: positive(1e-6),
    },
    (net, x, a) => {
      const dims = a.dims.map((c) => Math.max(1, Math.floor(c * a.width_factor)));
      return patchStages(net, x, { ...a, dims }, (name, y, stage, drop) => {
        net.vector(`${name}.gamma`, [y.channels], { constant: a.layer_scale_init_value });
        const sides: [number, number] = [a.kernel_size[stage], a.kernel_size[4]];
        const large = `${name}.large_kernel`;
        const convolved = a.small_kernel_merged
          ? net.conv(`${large}.lkb_reparam`, y, y.channels, sides[0], { groups: y.channels, bias: true })
          : branches(net, large, y, sides, a.Decom);
        const branch = pointwiseHalf(net, name, convolved, 'norm', 'gamma');
        return net.add(net.stochasticDepth(branch, drop), y);
      });
    },
  );

/** `slak_tiny` has the widths of ConvNeXt-Tiny, its published weights 1.3 of them; `slak_atto` is a small kind of ours. */
export const slaks = [
  slak('slak_tiny', [3, 3, 9, 3], [96, 192, 384, 768]),
  slak('slak_atto', [2, 2, 6, 2], [40, 80, 160, 320]),
];

function branches(
  net: Builder,
  name: string,
  x: Value,
  [long, short]: [number, number],
  splits: boolean,
): Value {
  const branch = (part: string, kernel: number | [number, number]) => {
    const y = net.conv(`${name}.${part}.conv`, x, x.channels, kernel, { groups: x.channels });
    return net.batchNorm(`${name}.${part}.bn`, y);
  };
  const all = splits
    ? [branch('Decom1', [long, short]), branch('Decom2', [short, long])]
    : [branch('lkb_origin', long)];
  if (short < long) all.push(branch('small_conv', short));
  return all.reduce((a, b) => net.add(a, b));
}
