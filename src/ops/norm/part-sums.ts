import type { Op } from '../../graph/ir';
import { bytesOf, elements, pitchOf, type Tensor } from '../../graph/tensor';
import { workgroupsFor } from '../../graph/workgroups';
import { ACTIVATIONS, type Activation } from '../activation';
import { pixelSplits } from '../blocks';
import { normGradients } from './gradients';

interface PartSums {
  /** dy of more channels than x; `prefix` and `later` as a batch norm's other backward sums have them */
  inputs: { dy: Tensor; x: Tensor; coef: Tensor; prefix?: Tensor; later?: Tensor };
  /** `g` of x's shape: the gradient behind the activation */
  outputs: { g: Tensor; bcoef: Tensor; dweight: Tensor; dbias: Tensor; rest?: Tensor };
  attrs: {
    activation: Activation;
    /** the channel of dy that is the first of x's */
    from: number;
  };
}

/** The sums of a batch norm's backward pass, whose gradient is some channels of a wider tensor, and that gradient by itself. */
export const partSumsOp: Op<PartSums> = {
  name: 'batch_norm_backward_part',
  lower: ({ inputs, outputs, attrs, name }, { tuning, temporary }) => {
    const { dy, x, coef, prefix, later } = inputs;
    const { g, bcoef, dweight, dbias, rest } = outputs;
    const shape = pixelSplits(x, tuning);
    const partial = temporary(`${name} partial sums`, [shape.SPLITS, 2, shape.C4 * 4]);
    return [
      {
        shader: 'norm/part_backward_sums',
        constants: {
          ...shape,
          X_PITCH: pitchOf(x),
          CHANNELS: x.shape[3],
          DY_C4: dy.padded[3] / 4,
          FROM: attrs.from,
          ACTIVATION: ACTIVATIONS[attrs.activation],
        },
        reads: { dy, x, coef },
        writes: { partial, g },
        workgroups: workgroupsFor(shape.SPLITS * shape.C4),
        flops: 7 * elements(x),
        // of dy no more than the part
        bytes: 2 * bytesOf(g) + bytesOf(x) + bytesOf(coef) + bytesOf(partial),
      },
      normGradients(x, partial, [dweight, dbias], tuning, { coef, bcoef, prefix, later, rest }),
    ];
  },
};
