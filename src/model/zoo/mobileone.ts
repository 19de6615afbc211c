import type { Builder, Value } from '../builder';
import { channels, type Definition, define, flag, fourStages, fourWidths, stemStride } from './define';

/**
 * MobileOne (Vasu et al. 2022), the names of its authors (github.com/apple/ml-mobileone). In training each block is a sum of
 * branches behind batch norms: its convolutions, one of 1 x 1 where its kernel is larger, and its input where it keeps its
 * shape; deployed (`inference_mode`) it is one convolution.
 */
const mobileone = (name: string, width: number[], branches = 1, squeezes = false): Definition =>
  define(
    name,
    {
      num_blocks_per_stage: fourStages([2, 8, 10, 1]),
      width_multipliers: fourWidths(width),
      num_conv_branches: channels(branches),
      use_se: flag(squeezes),
      inference_mode: flag(false),
      stem_stride: stemStride,
    },
    (net, x, a) => {
      const widthOf = (stage: number) => Math.max(1, Math.floor((64 << stage) * a.width_multipliers[stage]));
      const block = a.inference_mode ? deployedBlock : trainedBlock;
      const kind = { kernel: 3, groups: 1, branches: 1, squeezes: false };
      let y = block(net, 'stage0', x, { ...kind, out: Math.min(64, widthOf(0)), stride: a.stem_stride });
      a.num_blocks_per_stage.forEach((blocks, stage) => {
        const plain = a.use_se ? [blocks, blocks, Math.ceil(blocks / 2), 0][stage] : blocks;
        for (let i = 0; i < blocks; i++) {
          const name = `stage${stage + 1}.`;
          const both = { branches: a.num_conv_branches, squeezes: i >= plain };
          const stride = i === 0 ? 2 : 1;
          const depthwise = { ...both, kernel: 3, groups: y.channels, out: y.channels, stride };
          y = block(net, name + 2 * i, y, depthwise);
          const pointwise = { ...both, kernel: 1, groups: 1, out: widthOf(stage), stride: 1 };
          y = block(net, name + (2 * i + 1), y, pointwise);
        }
      });
      return net.head('linear', net.globalAvgPool(y));
    },
  );

export const mobileones = [
  mobileone('mobileone_s0', [0.75, 1, 1, 2], 4),
  mobileone('mobileone_s1', [1.5, 1.5, 2, 2.5]),
  mobileone('mobileone_s2', [1.5, 2, 2.5, 4]),
  mobileone('mobileone_s3', [2, 2.5, 3, 4]),
  mobileone('mobileone_s4', [3, 3.5, 3.5, 4], 1, true),
];

interface BlockOptions {
  kernel: number;
  groups: number;
  out: number;
  stride: number;
  branches: number;
  squeezes: boolean;
}

function deployedBlock(net: Builder, name: string, x: Value, b: BlockOptions): Value {
  const { stride, groups } = b;
  const conv = `${name}.reparam_conv`;
  return net.ordered([`${name}.se`, conv], () => {
    const y = net.conv(conv, x, b.out, b.kernel, { stride, groups, bias: true });
    return net.activation(b.squeezes ? squeeze(net, `${name}.se`, y) : y, 'relu');
  });
}

function trainedBlock(net: Builder, name: string, x: Value, b: BlockOptions): Value {
  const { stride, groups } = b;
  const branch = (part: string, kernel: number) => {
    const y = net.conv(`${name}.${part}.conv`, x, b.out, kernel, { stride, groups });
    return net.batchNorm(`${name}.${part}.bn`, y);
  };
  const modules = ['se', 'rbr_skip', 'rbr_conv', 'rbr_scale'].map((module) => `${name}.${module}`);
  return net.ordered(modules, () => {
    const keepsShape = stride === 1 && x.channels === b.out;
    const all = Array.from({ length: b.branches }, (_, i) => branch(`rbr_conv.${i}`, b.kernel));
    if (b.kernel > 1) all.push(branch('rbr_scale', 1));
    if (keepsShape) all.push(net.batchNorm(`${name}.rbr_skip`, x));
    const sum = all.reduce((p, q) => net.add(p, q));
    return net.activation(b.squeezes ? squeeze(net, `${name}.se`, sum) : sum, 'relu');
  });
}

function squeeze(net: Builder, name: string, x: Value): Value {
  const few = Math.max(1, Math.floor(x.channels / 16));
  const s = net.conv(`${name}.reduce`, net.globalAvgPool(x), few, 1, { bias: true });
  const gate = net.conv(`${name}.expand`, net.activation(s, 'relu'), x.channels, 1, { bias: true });
  return net.mul(x, net.activation(gate, 'sigmoid'));
}
