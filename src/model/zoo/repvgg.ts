import type { Builder, Value } from '../builder';
import { type Definition, define, flag, fourStages, fourWidths, stemStride } from './define';

/**
 * RepVGG (Ding et al. 2021), the names of its authors (github.com/DingXiaoH/RepVGG). In training each block is the sum of a
 * 3 x 3 and a 1 x 1 convolution and, where it keeps its shape, of its input, each behind a batch norm; deployed (`deploy`) it
 * is one 3 x 3 convolution.
 */
const repvgg = (name: string, blocks: number[], width: number[]): Definition =>
  define(
    name,
    {
      num_blocks: fourStages(blocks),
      width_multiplier: fourWidths(width),
      deploy: flag(false),
      stem_stride: stemStride,
    },
    (net, x, { num_blocks, width_multiplier, deploy, stem_stride }) => {
      const block = deploy ? deployedBlock : trainedBlock;
      const widthOf = (stage: number) => Math.max(1, Math.floor((64 << stage) * width_multiplier[stage]));
      let y = block(net, 'stage0', x, Math.min(64, widthOf(0)), stem_stride);
      num_blocks.forEach((n, stage) => {
        for (let i = 0; i < n; i++)
          y = block(net, `stage${stage + 1}.${i}`, y, widthOf(stage), i === 0 ? 2 : 1);
      });
      return net.head('linear', net.globalAvgPool(y));
    },
  );

const A = [2, 4, 14, 1];
const B = [4, 6, 16, 1];

export const repvggs = [
  repvgg('repvgg_a0', A, [0.75, 0.75, 0.75, 2.5]),
  repvgg('repvgg_a1', A, [1, 1, 1, 2.5]),
  repvgg('repvgg_a2', A, [1.5, 1.5, 1.5, 2.75]),
  repvgg('repvgg_b0', B, [1, 1, 1, 2.5]),
  repvgg('repvgg_b1', B, [2, 2, 2, 4]),
];

function deployedBlock(net: Builder, name: string, x: Value, out: number, stride: number): Value {
  return net.activation(net.conv(`${name}.rbr_reparam`, x, out, 3, { stride, bias: true }), 'relu');
}

function trainedBlock(net: Builder, name: string, x: Value, out: number, stride: number): Value {
  const keepsShape = stride === 1 && x.channels === out;
  const identity = keepsShape ? [net.batchNorm(`${name}.rbr_identity`, x)] : [];
  const branches = [3, 1].map((kernel) => {
    const branch = `${name}.rbr_${kernel === 3 ? 'dense' : '1x1'}`;
    return net.batchNorm(`${branch}.bn`, net.conv(`${branch}.conv`, x, out, kernel, { stride }));
  });
  return net.activation(
    [...branches, ...identity].reduce((a, b) => net.add(a, b)),
    'relu',
  );
}
