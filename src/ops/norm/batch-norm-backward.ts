import type { Constants, Op } from '../../graph/ir';
import { bytesOf, elements, pitchOf, present, type Tensor } from '../../graph/tensor';
import { workgroupsFor } from '../../graph/workgroups';
import { ACTIVATIONS, type Activation } from '../activation';
import { pixelSplits } from '../blocks';
import { normGradients } from './gradients';

export interface NormAttributes {
  activation: Activation;
  training: boolean;
}

/**
 * With these, dy is the gradient behind a squeeze-and-excitation of the norm's output, whose product has the factor `gate` and
 * whose pool the gradient `pooled`, both `[n, 1, 1, c]`.
 */
type Squeeze = { gate?: Tensor; pooled?: Tensor };

const squeezeConstants = (x: Tensor, { gate }: Squeeze): Constants => ({
  PIXELS: x.shape[1] * x.shape[2],
  GATE: gate !== undefined,
});

/**
 * `bcoef` `[3, c]`, or a copy of `prefix` and then these: the coefficients (A, B, C) of the gradient of a batch norm's input,
 * A * g + B * x + C, where g is the gradient behind its activation. `later` and `rest`: see BatchGradient.
 */
export interface BackwardSums {
  inputs: { dy: Tensor; x: Tensor; coef: Tensor; prefix?: Tensor; later?: Tensor } & Squeeze;
  outputs: { bcoef: Tensor; dweight: Tensor; dbias: Tensor; rest?: Tensor };
  attrs: NormAttributes;
}

export const backwardSums: Op<BackwardSums> = {
  name: 'batch_norm_backward_sums',
  lower: (node, { tuning, temporary }) => {
    const { dy, x, coef, prefix, later, gate, pooled } = node.inputs;
    const { bcoef, dweight, dbias, rest } = node.outputs;
    const shape = pixelSplits(x, tuning);
    const partial = temporary(`${node.name} partial sums`, [shape.SPLITS, 2, shape.C4 * 4]);
    return [
      {
        shader: 'norm/batch_backward_sums',
        constants: {
          ...shape,
          X_PITCH: pitchOf(x),
          ...squeezeConstants(x, node.inputs),
          ACTIVATION: ACTIVATIONS[node.attrs.activation],
        },
        reads: { dy, x, coef, gate, pooled },
        writes: { partial },
        workgroups: workgroupsFor(shape.SPLITS * shape.C4),
        flops: 7 * elements(x),
      },
      normGradients(x, partial, [dweight, dbias], tuning, { coef, bcoef, prefix, later, rest }),
    ];
  },
};

export interface FinishSums {
  inputs: { partial: Tensor; x: Tensor; coef: Tensor; prefix?: Tensor; later?: Tensor };
  outputs: BackwardSums['outputs'];
  attrs: NormAttributes;
}

/** The same from `partial` `[blocks, 2, c]`, the (sum g, sum g * xhat) of blocks that the producer of g wrote. */
export const finishSums: Op<FinishSums> = {
  name: 'batch_norm_backward_finish',
  lower: ({ inputs: { partial, x, ...batch }, outputs: { dweight, dbias, ...written } }, { tuning }) => [
    normGradients(x, partial, [dweight, dbias], tuning, { ...batch, ...written }),
  ],
};

export interface BackwardApply {
  /** no bcoef: of running statistics, which pass no gradient on; of an addend of more channels the first are added */
  inputs: { dy: Tensor; x: Tensor; coef: Tensor; bcoef?: Tensor; addend?: Tensor } & Squeeze;
  outputs: { dx: Tensor };
  attrs: NormAttributes;
}

export const backwardApply: Op<BackwardApply> = {
  name: 'batch_norm_backward_apply',
  lower: ({ inputs, outputs: { dx }, attrs }) => {
    const { dy, x, coef, bcoef, addend, gate, pooled } = inputs;
    const size = elements(dx) / 4;
    return [
      {
        shader: 'norm/batch_backward_apply',
        constants: {
          SIZE: size,
          C4: x.padded[3] / 4,
          X_PITCH: pitchOf(x),
          ...squeezeConstants(x, inputs),
          ACTIVATION: ACTIVATIONS[attrs.activation],
          TRAINING: bcoef !== undefined,
          ADDEND_C4: addend ? addend.padded[3] / 4 : 0,
          ADDEND: addend?.shape[3] === x.shape[3],
          WIDE_ADDEND: addend !== undefined && addend.shape[3] > x.shape[3],
        },
        reads: { dy, x, coef, bcoef, addend, gate, pooled },
        writes: { dx },
        workgroups: workgroupsFor(size),
        flops: 7 * elements(dx),
        bytes: present({ ...inputs, addend: addend && dx, dx }).reduce((sum, t) => sum + bytesOf(t), 0),
      },
    ];
  },
};
