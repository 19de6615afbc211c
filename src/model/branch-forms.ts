/** Which branches a form of structural re-parameterisation puts beside a convolution (see structural.ts). */
import type { Kernel } from './fold';
import type { Branches, ConvLayer, Model, Pair } from './model';

/** The parts of a branch in order. Convolutions are OIHW in the layer's groups; the last part starts at zero. */
export type Part =
  | { conv: string; shape: Kernel['shape'] }
  | { average: number }
  | { norm: string }
  | { scale: string };

/** Where a layer's branches are in the state dict. */
export const branchPrefix = (conv: string): string => `${conv}.branches.`;

export type BranchedLayer = ConvLayer & { branches: Branches };

/** A model's convolutions with branches, in order. */
export const branchedLayers = ({ layers }: Model): BranchedLayer[] =>
  layers.filter((layer) => layer.kind === 'conv' && layer.branches) as BranchedLayer[];

/** Parts of the branches that a form puts beside a convolution. */
export function branchesOf({ shape, groups, stride, branches: { form } }: BranchedLayer): Part[][] {
  const [o, i, kh, kw] = shape;
  const kernel = (...size: Pair): Kernel['shape'] => [o, i, ...size];
  const isOwnSize = o === i * groups && Math.max(...stride) === 1;
  // of a depthwise convolution the published diverse block has no 1 x 1, and a stack of twice the width
  const isDepthwise = groups === o && groups > 1;
  const middle = isDepthwise ? 2 * groups : i * groups;
  const stack = (name: string, between: Part[], end: Part): Part[] => [
    { conv: `${name}.conv1`, shape: [middle, i, 1, 1] },
    ...between,
    { conv: `${name}.conv2`, shape: [o, middle / groups, kh, kw] },
    end,
  ];
  const size = Math.max(kh, kw);
  switch (form) {
    case 'acnet':
      return [
        [{ conv: 'ver_conv', shape: kernel(kh, 1) }, { norm: 'ver_bn' }],
        [{ conv: 'hor_conv', shape: kernel(1, kw) }, { norm: 'hor_bn' }],
      ];
    case 'repvgg':
      return [
        [{ conv: 'rbr_1x1.conv', shape: kernel(1, 1) }, { norm: 'rbr_1x1.bn' }],
        ...(isOwnSize ? [[{ norm: 'rbr_identity' }]] : []),
      ];
    case 'dbb': {
      const first: Part[] = [{ conv: 'dbb_avg.conv', shape: kernel(1, 1) }, { norm: 'dbb_avg.bn.bn' }];
      const between: Part[] = [{ norm: 'dbb_1x1_kxk.bn1.bn' }];
      return [
        ...(isDepthwise
          ? []
          : [[{ conv: 'dbb_1x1.conv', shape: kernel(1, 1) }, { norm: 'dbb_1x1.bn' }] as Part[]]),
        [...(isDepthwise ? [] : first), { average: size }, { norm: 'dbb_avg.avgbn' }],
        stack('dbb_1x1_kxk', between, { norm: 'dbb_1x1_kxk.bn2' }),
      ];
    }
    case 'orepa': {
      const first: Part[] = [{ conv: 'orepa_avg.conv', shape: kernel(1, 1) }];
      return [
        [{ conv: 'orepa_1x1.conv', shape: kernel(1, 1) }, { scale: 'orepa_1x1.scale' }],
        [...(isDepthwise ? [] : first), { average: size }, { scale: 'orepa_avg.scale' }],
        stack('orepa_1x1_kxk', [], { scale: 'orepa_1x1_kxk.scale' }),
      ];
    }
  }
}

/** Of OREPA's linear stack: the scale of the convolution itself, 1 at the start. */
export const OWN_SCALE = 'orepa_origin.scale';

/** torch.nn.BatchNorm2d's defaults, which a convolution without a batch norm gives its branches. */
export const NORM = { eps: 1e-5, momentum: 0.1 };
