import { type Definition, define, dropRate, flag, fourStages, positive } from './define';
import { type Branch, largeKernel, oddSides } from './large-kernel';
import { patchStages, pointwiseHalf } from './patch-stages';

/** The long side of the kernels of the four stages, and the short one of all. */
const kernels = oddSides([51, 49, 47, 13, 5], 'five odd numbers from 1 to 127');

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
        const [side, short] = [a.kernel_size[stage], a.kernel_size[4]];
        const branches = branchesOf(side, short, a.Decom);
        const isMerged = a.small_kernel_merged;
        const convolved = largeKernel(net, `${name}.large_kernel`, y, { side, branches, isMerged });
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

function branchesOf(long: number, short: number, splits: boolean): Branch[] {
  const large: Branch[] = splits
    ? [
        ['Decom1', [long, short]],
        ['Decom2', [short, long]],
      ]
    : [['lkb_origin', long]];
  return short < long ? [...large, ['small_conv', short]] : large;
}
