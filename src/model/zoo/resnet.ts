import * as v from 'valibot';
import { UserError } from '../../errors';
import type { Builder, Value } from '../builder';
import {
  type Argument,
  channels,
  choice,
  count,
  type Definition,
  define,
  flag,
  stages,
  stemStride,
} from './define';

type Block = 'BasicBlock' | 'Bottleneck';

const widths: Argument<number[]> = {
  schema: v.pipe(v.array(count(4096)), v.minLength(1), v.maxLength(8)),
  expects: 'one to eight whole numbers from 1 to 4096, one a stage',
  fallback: [64, 128, 256, 512],
};

const stemKernel: Argument<3 | 7> = { schema: v.picklist([3, 7]), expects: '7 or 3', fallback: 7 };

/** What a network has of its own beside its depth. */
interface Kind {
  groups?: number;
  widthPerGroup?: number;
  /** timm's D kind: a stem of three small kernels, shortcuts that average before they shrink */
  d?: boolean;
}

/**
 * ResNet for ImageNet (He et al. 2015), the wide kind (Zagoruyko and Komodakis 2016) and ResNeXt (Xie et al. 2017) under
 * torchvision's names, and the D kind (He et al. 2018) under timm's, whose arguments are those below `width_per_group`.
 * `resnet` is the class, without arguments ResNet-18. With `stem_stride` 1 the max pooling after the stem falls away too,
 * so that an image of 32 pixels enters the stages at 32; `stem_kernel` 3 is what networks for such images mostly have with it.
 */
const resnet = (name: string, block: Block, layers: number[], kind: Kind = {}): Definition =>
  define(
    name,
    {
      block: choice(['BasicBlock', 'Bottleneck'], block),
      layers: stages(layers),
      groups: channels(kind.groups ?? 1),
      width_per_group: channels(kind.widthPerGroup ?? 64),
      channels: widths,
      stem_type: choice(['', 'deep'], kind.d ? 'deep' : ''),
      stem_width: channels(32),
      avg_down: flag(kind.d ?? false),
      stem_kernel: stemKernel,
      stem_stride: stemStride,
    },
    (net, x, a) => {
      const basic = a.block === 'BasicBlock';
      if (basic && (a.groups !== 1 || a.width_per_group !== 64))
        throw new UserError(`${name}: groups and width_per_group belong to "Bottleneck": leave them out.`);
      let y =
        a.stem_type === 'deep'
          ? deepStem(net, x, a.stem_width, a.stem_stride)
          : plainStem(net, x, a.stem_kernel, a.stem_stride);
      if (a.stem_stride === 2) y = net.maxPool(y, 3, { stride: 2, padding: 1 });
      const branch = basic ? basicBlock : bottleneck(a.groups, a.width_per_group);
      a.layers.forEach((blocks, stage) => {
        const planes = a.channels[Math.min(stage, a.channels.length - 1)];
        for (let i = 0; i < blocks; i++) {
          const stride = stage > 0 && i === 0 ? 2 : 1;
          y = residual(net, `layer${stage + 1}.${i}`, y, planes, stride, branch, a.avg_down);
        }
      });
      return net.head('fc', net.globalAvgPool(y));
    },
  );

const FIFTY = [3, 4, 6, 3];
const HUNDRED = [3, 4, 23, 3];

export const resnets = [
  resnet('resnet', 'BasicBlock', [2, 2, 2, 2]),
  resnet('resnet18', 'BasicBlock', [2, 2, 2, 2]),
  resnet('resnet34', 'BasicBlock', FIFTY),
  resnet('resnet50', 'Bottleneck', FIFTY),
  resnet('resnet101', 'Bottleneck', HUNDRED),
  resnet('resnet152', 'Bottleneck', [3, 8, 36, 3]),
  resnet('wide_resnet50_2', 'Bottleneck', FIFTY, { widthPerGroup: 128 }),
  resnet('wide_resnet101_2', 'Bottleneck', HUNDRED, { widthPerGroup: 128 }),
  resnet('resnext50_32x4d', 'Bottleneck', FIFTY, { groups: 32, widthPerGroup: 4 }),
  resnet('resnext101_32x8d', 'Bottleneck', HUNDRED, { groups: 32, widthPerGroup: 8 }),
  resnet('resnet18d', 'BasicBlock', [2, 2, 2, 2], { d: true }),
  resnet('resnet34d', 'BasicBlock', FIFTY, { d: true }),
  resnet('resnet50d', 'Bottleneck', FIFTY, { d: true }),
  resnet('resnet101d', 'Bottleneck', HUNDRED, { d: true }),
];

function plainStem(net: Builder, x: Value, kernel: 3 | 7, stride: 1 | 2): Value {
  return net.batchNorm('bn1', net.conv('conv1', x, 64, kernel, { stride }), 'relu');
}

/** Three kernels of 3 x 3, the last of twice as many channels. */
function deepStem(net: Builder, x: Value, width: number, stride: 1 | 2): Value {
  let y = net.batchNorm('conv1.1', net.conv('conv1.0', x, width, 3, { stride }), 'relu');
  y = net.batchNorm('conv1.4', net.conv('conv1.3', y, width, 3), 'relu');
  return net.batchNorm('bn1', net.conv('conv1.6', y, 2 * width, 3), 'relu');
}

/** The branch of a block, without the last activation. */
type Branch = (net: Builder, name: string, x: Value, planes: number, stride: number) => Value;

const basicBlock: Branch = (net, name, x, planes, stride) => {
  const y = net.batchNorm(`${name}.bn1`, net.conv(`${name}.conv1`, x, planes, 3, { stride }), 'relu');
  return net.batchNorm(`${name}.bn2`, net.conv(`${name}.conv2`, y, planes, 3));
};

const EXPANSION = 4;

const bottleneck =
  (groups: number, widthPerGroup: number): Branch =>
  (net, name, x, planes, stride) => {
    const width = Math.max(1, Math.floor((planes * widthPerGroup) / 64)) * groups;
    let y = net.batchNorm(`${name}.bn1`, net.conv(`${name}.conv1`, x, width, 1), 'relu');
    y = net.conv(`${name}.conv2`, y, width, 3, { stride, groups });
    y = net.batchNorm(`${name}.bn2`, y, 'relu');
    return net.batchNorm(`${name}.bn3`, net.conv(`${name}.conv3`, y, planes * EXPANSION, 1));
  };

function residual(
  net: Builder,
  name: string,
  x: Value,
  planes: number,
  stride: number,
  branch: Branch,
  averages: boolean,
): Value {
  const y = branch(net, name, x, planes, stride);
  let shortcut = x;
  if (stride !== 1 || x.channels !== y.channels) {
    const first = averages ? 1 : 0;
    if (averages && stride !== 1)
      shortcut = net.avgPool(x, 2, { stride, ceilMode: true, countIncludePad: false });
    const step = averages ? 1 : stride;
    shortcut = net.conv(`${name}.downsample.${first}`, shortcut, y.channels, 1, { stride: step });
    shortcut = net.batchNorm(`${name}.downsample.${first + 1}`, shortcut);
  }
  return net.activation(net.add(y, shortcut), 'relu');
}
