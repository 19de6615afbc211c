import type { GraphBuilder, NoAttributes, Op } from '../../graph/ir';
import { elements, type Tensor } from '../../graph/tensor';
import type { Tuning } from '../../graph/tuning';
import { workgroupsFor } from '../../graph/workgroups';
import { pixelRows, pixelSplits, threadsFor } from '../blocks';
import { normGradients, parameterGradients } from './gradients';

/** torch.nn.functional.layer_norm over the channels of each pixel of x `[n, h, w, c]`; weight and bias `[c]`. */
export function layerNorm(
  g: GraphBuilder,
  name: string,
  x: Tensor,
  weight: Tensor,
  bias: Tensor,
  { eps }: { eps: number },
): Tensor {
  const y = g.tensor(name, x.shape);
  const { ROWS } = pixelRows(x);
  const statistics = g.tensor(`${name} statistics`, [ROWS, 2], { padded: [ROWS, 2] });
  g.add(forward, name, { x, weight, bias }, { y, statistics }, { eps });
  return y;
}

/** How rows are shared among threads: each has sums over its channels. */
function rowsOf(x: Tensor, tuning: Tuning) {
  const { ROWS, C4 } = pixelRows(x);
  const CHANNELS = x.shape[3];
  const THREADS_PER_ROW = threadsFor(CHANNELS, tuning);
  const WG = Math.max(64, THREADS_PER_ROW);
  return {
    constants: { ROWS, C4, CHANNELS, WG, THREADS_PER_ROW },
    workgroups: workgroupsFor(ROWS, WG / THREADS_PER_ROW),
  };
}

interface Forward {
  inputs: { x: Tensor; weight: Tensor; bias: Tensor };
  outputs: { y: Tensor; statistics: Tensor };
  attrs: { eps: number };
}

const forward: Op<Forward> = {
  name: 'layer_norm',
  lower: ({ inputs, outputs, attrs }, { tuning }) => {
    const { constants, workgroups } = rowsOf(inputs.x, tuning);
    return [
      {
        shader: 'norm/layer_forward',
        constants: { ...constants, EPS: attrs.eps },
        reads: inputs,
        writes: outputs,
        workgroups,
        flops: 8 * elements(inputs.x),
      },
    ];
  },
  backward: ({ inputs: { x, weight, bias }, outputs: { y, statistics }, name }, tape) => {
    const g = tape.graph;
    const dy = tape.gradient(y)!;
    const gradients = parameterGradients(tape, name, { weight, bias });
    if (tape.needs(weight) || tape.needs(bias))
      g.add(backwardParameters, name, { dy, x, statistics }, gradients, {});
    tape.contribute(x, ({ out, addend }) =>
      g.add(backwardInput, name, { dy, x, weight, statistics, addend }, { dx: out }, {}),
    );
  },
};

interface BackwardParameters {
  inputs: { dy: Tensor; x: Tensor; statistics: Tensor };
  outputs: { dweight: Tensor; dbias: Tensor };
  attrs: NoAttributes;
}

const backwardParameters: Op<BackwardParameters> = {
  name: 'layer_norm_backward_parameters',
  lower: ({ inputs: { dy, x, statistics }, outputs: { dweight, dbias }, name }, { tuning, temporary }) => {
    const shape = pixelSplits(x, tuning);
    const partial = temporary(`${name} partial sums`, [shape.SPLITS, 2, shape.C4 * 4]);
    return [
      {
        shader: 'norm/layer_backward_parameters',
        constants: shape,
        reads: { dy, x, statistics },
        writes: { partial },
        workgroups: workgroupsFor(shape.SPLITS * shape.C4),
        flops: 5 * elements(x),
      },
      normGradients(x, partial, [dweight, dbias], tuning),
    ];
  },
};

interface BackwardInput {
  inputs: { dy: Tensor; x: Tensor; weight: Tensor; statistics: Tensor; addend?: Tensor };
  outputs: { dx: Tensor };
  attrs: NoAttributes;
}

const backwardInput: Op<BackwardInput> = {
  name: 'layer_norm_backward_input',
  lower: ({ inputs, outputs: { dx } }, { tuning }) => {
    const { constants, workgroups } = rowsOf(inputs.x, tuning);
    return [
      {
        shader: 'norm/layer_backward_input',
        constants: { ...constants, ADDEND: inputs.addend !== undefined },
        reads: inputs,
        writes: { dx },
        workgroups,
        flops: 13 * elements(dx),
      },
    ];
  },
};
