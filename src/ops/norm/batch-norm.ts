import { UserError } from '../../errors';
import type { Dispatch, GraphBuilder, Op } from '../../graph/ir';
import { elements, pitchOf, product, type Tensor } from '../../graph/tensor';
import type { Tuning } from '../../graph/tuning';
import { workgroupsFor } from '../../graph/workgroups';
import { ACTIVATIONS, type Activation } from '../activation';
import { type BlockGrid, gridConstants, pixelGrid, pixelRows, sharing } from '../blocks';
import { backwardApply, backwardSums, finishSums, type NormAttributes } from './batch-norm-backward';
import { parameterGradients } from './gradients';

/** All `[c]`; the running statistics have role `state` and are updated in place in training. */
export type BatchNormParameters = {
  weight: Tensor;
  bias: Tensor;
  runningMean: Tensor;
  runningVar: Tensor;
};

export interface BatchNormOptions {
  /** normalise by the batch's statistics and update the running ones; else normalise by the running ones */
  training: boolean;
  /** share of the batch in the new running statistics, as PyTorch's */
  momentum: number;
  eps: number;
  /** applied to the result in the same dispatch */
  activation: Activation;
}

/**
 * torch.nn.BatchNorm2d over the channels of x `[n, h, w, c]`, and an activation. Two nodes, so that a pass can move
 * either into a neighbour: the statistics make `coef` `[4, c]` = (mean, rstd, scale, shift), then y = act(scale * x + shift).
 * The running variance takes the unbiased one, as PyTorch's does. Throws a UserError where a batch has one value a channel.
 */
export function batchNorm(
  g: GraphBuilder,
  name: string,
  x: Tensor,
  p: BatchNormParameters,
  options: BatchNormOptions,
): Tensor {
  const { training, momentum, eps, activation } = options;
  if (training && product(x.shape.slice(0, 3)) < 2) {
    throw new UserError(
      `${name}: batch normalisation cannot train on one value per channel: use a larger batch or larger images.`,
    );
  }
  const coef = g.tensor(`${name} coef`, [4, x.shape[3]]);
  if (training) {
    g.add(statistics, name, { x, ...p }, { coef }, { momentum, eps });
  } else g.add(running, name, { ...p }, { coef }, { eps });
  const y = g.tensor(name, x.shape);
  // weight and bias are inputs for the tape's sake: their gradients come with this node's
  const { weight, bias } = p;
  g.add(affineAct, name, { x, coef, weight, bias }, { y }, { activation, training });
  return y;
}

interface StatisticsAttributes {
  momentum: number;
  eps: number;
}

/** `moments` `[2, c]`, where another norm wants them: mean and M2 over all pixels. */
type StatisticsOutputs = {
  coef: Tensor;
  moments?: Tensor;
};

interface Statistics {
  inputs: { x: Tensor } & BatchNormParameters;
  outputs: StatisticsOutputs;
  attrs: StatisticsAttributes;
}

const statistics: Op<Statistics> = {
  name: 'batch_norm_statistics',
  lower: ({ inputs: { x, ...parameters }, outputs, attrs, name }, { tuning, temporary }) => {
    const { ROWS, C4 } = pixelRows(x);
    const blocks = pixelGrid(x, tuning);
    const partial = temporary(`${name} partial statistics`, [blocks.count, 2, C4 * 4]);
    return [
      {
        shader: 'norm/batch_statistics',
        constants: {
          ROWS,
          C4,
          X_PITCH: pitchOf(x),
          BLOCKS: blocks.count,
          ROWS_PER_BLOCK: blocks.rowsPerBlock,
        },
        reads: { x },
        writes: { partial },
        workgroups: workgroupsFor(blocks.count * C4),
        flops: 4 * elements(x),
      },
      finishDispatch({ partial, ...parameters }, outputs, { ...attrs, blocks, rows: ROWS }, tuning),
    ];
  },
};

interface FinishAttributes extends StatisticsAttributes {
  /** how x was cut */
  blocks: BlockGrid;
  /** pixels of x */
  rows: number;
}

interface FinishStatistics {
  /** with `before` `[2, b]`, the moments of x's first b channels, `partial` is of the others */
  inputs: { partial: Tensor; before?: Tensor } & BatchNormParameters;
  outputs: StatisticsOutputs;
  attrs: FinishAttributes;
}

/** The same from `partial` `[blocks, 2, c]`, the (mean, M2) of blocks that the producer of x wrote. */
const finishStatistics: Op<FinishStatistics> = {
  name: 'batch_norm_finish',
  lower: ({ inputs, outputs, attrs }, { tuning }) => [finishDispatch(inputs, outputs, attrs, tuning)],
};

function finishDispatch(
  { partial, before, weight, bias, runningMean, runningVar }: FinishStatistics['inputs'],
  { coef, moments }: StatisticsOutputs,
  { momentum, eps, blocks, rows }: FinishAttributes,
  tuning: Tuning,
): Dispatch {
  const c4 = coef.padded[1] / 4;
  const { constants, workgroups } = sharing(blocks.count, c4, tuning);
  return {
    shader: 'norm/batch_finish',
    constants: {
      ...constants,
      ...gridConstants(blocks),
      ROWS: rows,
      C4: c4,
      PREFIX: before ? before.padded[1] / 4 : 0,
      MOMENTS: moments !== undefined,
      MOMENTUM: momentum,
      EPS: eps,
    },
    reads: { partial, weight, bias, before },
    writes: { coef, running_mean: runningMean, running_var: runningVar, moments },
    workgroups,
    flops: 5 * elements(partial),
  };
}

interface Running {
  inputs: BatchNormParameters;
  outputs: { coef: Tensor };
  attrs: { eps: number };
}

const running: Op<Running> = {
  name: 'batch_norm_running',
  lower: ({ inputs: { weight, bias, runningMean, runningVar }, outputs: { coef }, attrs }) => {
    const c4 = coef.padded[1] / 4;
    return [
      {
        shader: 'norm/batch_running',
        constants: { C4: c4, EPS: attrs.eps },
        reads: { weight, bias, running_mean: runningMean, running_var: runningVar },
        writes: { coef },
        workgroups: workgroupsFor(c4),
        flops: 5 * elements(weight),
      },
    ];
  },
};

interface AffineAttributes extends NormAttributes {
  /** the activation comes after the residual */
  activateLast?: boolean;
}

interface AffineAct {
  inputs: {
    x: Tensor;
    coef: Tensor;
    weight: Tensor;
    bias: Tensor;
    residual?: Tensor;
    /** other norms' inputs and coefficients, whose outputs are added to the residual */
    x1?: Tensor;
    coef1?: Tensor;
    x2?: Tensor;
    coef2?: Tensor;
  };
  outputs: { y: Tensor };
  attrs: AffineAttributes;
}

/** y = act(scale * x + shift) + residual, or act(scale * x + shift + residual). */
const affineAct: Op<AffineAct> = {
  name: 'affine_act',
  lower: ({ inputs: { weight: _, bias: __, ...reads }, outputs: { y }, attrs }) => {
    const size = elements(y) / 4;
    return [
      {
        shader: 'norm/affine_act',
        constants: {
          SIZE: size,
          CHANNELS: y.shape[3],
          ACTIVATION: ACTIVATIONS[attrs.activation],
          RESIDUAL: reads.residual !== undefined,
          X1: reads.x1 !== undefined,
          X2: reads.x2 !== undefined,
          ACTIVATE_LAST: attrs.activateLast ?? false,
        },
        reads,
        writes: { y },
        workgroups: workgroupsFor(size),
        flops: 3 * elements(y),
      },
    ];
  },
  backward: ({ inputs: { x, coef, weight, bias }, outputs: { y }, attrs, name }, tape) => {
    const g = tape.graph;
    const dy = tape.gradient(y)!;
    const gradients = parameterGradients(tape, name, { weight, bias });
    const { training } = attrs;
    const bcoef = g.tensor(`${name} bcoef`, [3, x.shape[3]]);
    // with running statistics dx needs no sums
    if (tape.needs(weight) || tape.needs(bias) || training)
      g.add(backwardSums, name, { dy, x, coef }, { bcoef, ...gradients }, attrs);
    tape.contribute(x, ({ out, addend }) => {
      const inputs = { dy, x, coef, bcoef: training ? bcoef : undefined, addend };
      g.add(backwardApply, name, inputs, { dx: out }, attrs);
    });
  },
};

/** The ops of a batch norm, for passes over the graph that fuse them. */
export const batchNormOps = {
  statistics,
  finishStatistics,
  running,
  affineAct,
  backwardSums,
  finishSums,
  backwardApply,
};
