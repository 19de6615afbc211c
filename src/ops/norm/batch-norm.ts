import { UserError } from '../../errors';
import type { Dispatch, GraphBuilder, Op } from '../../graph/ir';
import { elements, product, type Tensor } from '../../graph/tensor';
import type { Tuning } from '../../graph/tuning';
import { workgroupsFor } from '../../graph/workgroups';
import { ACTIVATIONS, type Activation } from '../activation';
import type { BlockGrid } from '../conv/geometry';
import { blockSizes, finishing, normGradients, rowBlocks, rowSplits, runOf } from './norm';

/** All `[c]`; the running statistics have role `state` and are updated in place in training. */
export interface BatchNormParameters {
  weight: Tensor;
  bias: Tensor;
  runningMean: Tensor;
  runningVar: Tensor;
}

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
    const inputs = [x, p.weight, p.bias, p.runningMean, p.runningVar];
    g.add(statistics, name, inputs, [coef], { momentum, eps });
  } else {
    g.add(running, name, [p.weight, p.bias, p.runningMean, p.runningVar], [coef], { eps });
  }
  const y = g.tensor(name, x.shape);
  // weight and bias are inputs for the tape's sake: their gradients come with this node's
  const attrs: AffineAttributes = { activation, training };
  g.add(affineAct, name, [x, coef, p.weight, p.bias], [y], attrs);
  return y;
}

interface AffineAttributes {
  activation: Activation;
  training: boolean;
}

interface StatisticsAttributes {
  momentum: number;
  eps: number;
}

/** Inputs x, weight, bias, running mean and variance; output coef. */
const statistics: Op = {
  name: 'batch_norm_statistics',
  lower: (
    { inputs: [x, weight, bias, mean, variance], outputs: [coef], attrs, name },
    { tuning, temporary },
  ) => {
    const shape = rowSplits(x!, tuning);
    const partial = temporary(`${name} partial statistics`, [shape.SPLITS, 2, shape.C4 * 4]);
    return [
      {
        shader: 'norm/batch_statistics',
        constants: { ...shape, RUN: runOf(shape) },
        reads: { x },
        writes: { partial },
        workgroups: workgroupsFor(shape.SPLITS * shape.C4),
        flops: 4 * elements(x!),
      },
      finishDispatch(
        [partial, weight!, bias!, mean!, variance!],
        coef,
        attrs,
        rowBlocks(x!, tuning),
        shape.ROWS,
        tuning,
      ),
    ];
  },
};

/** The same from the (mean, M2) of blocks that the producer of x wrote: inputs partial, weight, bias, running mean and variance. */
const finishStatistics: Op = {
  name: 'batch_norm_finish',
  lower: ({ inputs, outputs: [coef], attrs }, { tuning }) => {
    const { blocks, rows } = attrs as { blocks: BlockGrid; rows: number };
    return [finishDispatch(inputs as Tensor[], coef, attrs, blocks, rows, tuning)];
  },
};

function finishDispatch(
  [partial, weight, bias, runningMean, runningVar]: Tensor[],
  coef: Tensor,
  { momentum, eps }: StatisticsAttributes,
  blocks: BlockGrid,
  rows: number,
  tuning: Tuning,
): Dispatch {
  const c4 = coef.padded[1] / 4;
  const { constants, workgroups } = finishing(blocks.count, c4, tuning);
  return {
    shader: 'norm/batch_finish',
    constants: { ...constants, ...blockSizes(blocks), ROWS: rows, C4: c4, MOMENTUM: momentum, EPS: eps },
    reads: { partial, weight, bias },
    writes: { coef, running_mean: runningMean, running_var: runningVar },
    workgroups,
    flops: 5 * elements(partial),
  };
}

const running: Op = {
  name: 'batch_norm_running',
  lower: ({ inputs: [weight, bias, runningMean, runningVar], outputs: [coef], attrs }) => {
    const c4 = coef.padded[1] / 4;
    return [
      {
        shader: 'norm/batch_running',
        constants: { C4: c4, EPS: attrs.eps },
        reads: { weight, bias, running_mean: runningMean, running_var: runningVar },
        writes: { coef },
        workgroups: workgroupsFor(c4),
        flops: 5 * elements(weight!),
      },
    ];
  },
};

/** Inputs x, coef, weight, bias, residual?; output y = act(scale * x + shift) + residual. */
const affineAct: Op = {
  name: 'affine_act',
  lower: ({ inputs: [x, coef, , , residual], outputs: [y], attrs }) => {
    const size = elements(y) / 4;
    return [
      {
        shader: 'norm/affine_act',
        constants: {
          SIZE: size,
          CHANNELS: y.shape[3],
          ACTIVATION: ACTIVATIONS[attrs.activation as Activation],
          RESIDUAL: residual !== undefined,
        },
        reads: { x, coef, residual },
        writes: { y },
        workgroups: workgroupsFor(size),
        flops: 3 * elements(y),
      },
    ];
  },
  backward: ({ inputs: [x, coef, weight, bias], outputs: [y], attrs, name }, tape) => {
    const g = tape.graph;
    const dy = tape.gradient(y)!;
    // what is not wanted is written to a tensor that nobody reads
    let dweight = g.tensor(`${name} dweight`, weight!.shape);
    let dbias = g.tensor(`${name} dbias`, bias!.shape);
    tape.contribute(weight!, ({ out }) => {
      dweight = out;
    });
    tape.contribute(bias!, ({ out }) => {
      dbias = out;
    });
    const { training } = attrs as AffineAttributes;
    const bcoef = g.tensor(`${name} bcoef`, [3, x!.shape[3]]);
    // with running statistics dx needs no sums
    if (tape.needs(weight) || tape.needs(bias) || training)
      g.add(backwardSums, name, [dy, x, coef], [bcoef, dweight, dbias], attrs);
    tape.contribute(x!, ({ out, addend }) =>
      g.add(backwardApply, name, [dy, x, coef, training ? bcoef : undefined, addend], [out], attrs),
    );
  },
};

/** Inputs dy, x, coef, prefix?; outputs bcoef (after a copy of prefix), dweight, dbias. */
const backwardSums: Op = {
  name: 'batch_norm_backward_sums',
  lower: (
    { inputs: [dy, x, coef, prefix], outputs: [bcoef, dweight, dbias], attrs, name },
    { tuning, temporary },
  ) => {
    const shape = rowSplits(x!, tuning);
    const partial = temporary(`${name} partial sums`, [shape.SPLITS, 2, shape.C4 * 4]);
    const { activation } = attrs as AffineAttributes;
    return [
      {
        shader: 'norm/batch_backward_sums',
        constants: { ...shape, ACTIVATION: ACTIVATIONS[activation] },
        reads: { dy, x, coef },
        writes: { partial },
        workgroups: workgroupsFor(shape.SPLITS * shape.C4),
        flops: 7 * elements(x!),
      },
      normGradients(x!, partial, [dweight, dbias], tuning, { coef: coef!, bcoef, prefix }),
    ];
  },
};

/** The same from the sums of blocks that the producer of dy wrote: inputs partial, x, coef, prefix?. */
const finishSums: Op = {
  name: 'batch_norm_backward_finish',
  lower: ({ inputs: [partial, x, coef, prefix], outputs: [bcoef, dweight, dbias] }, { tuning }) => [
    normGradients(x!, partial!, [dweight, dbias], tuning, { coef: coef!, bcoef, prefix }),
  ],
};

/** Inputs dy, x, coef, bcoef (none in evaluation), addend?; output dx. */
const backwardApply: Op = {
  name: 'batch_norm_backward_apply',
  lower: ({ inputs: [dy, x, coef, bcoef, addend], outputs: [dx], attrs }) => {
    const size = elements(dx) / 4;
    const { activation } = attrs as AffineAttributes;
    return [
      {
        shader: 'norm/batch_backward_apply',
        constants: {
          SIZE: size,
          C4: x!.padded[3] / 4,
          ACTIVATION: ACTIVATIONS[activation],
          TRAINING: bcoef !== undefined,
          ADDEND: addend !== undefined,
        },
        reads: { dy, x, coef, bcoef, addend },
        writes: { dx },
        workgroups: workgroupsFor(size),
        flops: 7 * elements(dx),
      },
    ];
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
