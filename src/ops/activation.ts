import type { Constants, GraphBuilder, Op } from '../graph/ir';
import { elements, type Tensor } from '../graph/tensor';
import { workgroupsFor } from '../graph/workgroups';

/** Activations by the number that shaders/common/activation.wgsl knows them by. */
export const ACTIVATIONS = {
  none: 0,
  relu: 1,
  relu6: 2,
  hardswish: 3,
  hardsigmoid: 4,
  silu: 5,
  sigmoid: 6,
  gelu: 7,
  gelu_tanh: 8,
  elu: 9,
  tanh: 10,
  softplus: 11,
  mish: 12,
  /** min(x, 0): what ReLU leaves out, of which leaky ones keep a share */
  negative: 13,
  /** 1 / sqrt(x), and 0 where x is not positive, as in the padding of channels */
  rsqrt: 14,
} as const;
export type Activation = keyof typeof ACTIVATIONS;

/** What is done to a tensor as it is read: `activation` behind a batch norm, whose `coef` is read too, or `inputActivation` alone. */
export interface Prologue {
  activation?: Activation;
  inputActivation?: Activation;
}

/** Constants of a prologue (shaders/common/input.wgsl). */
export function prologueConstants({ activation, inputActivation }: Prologue): Constants {
  if (inputActivation) return { ACTIVATE_INPUT: true, ACTIVATION: ACTIVATIONS[inputActivation] };
  return activation === undefined ? {} : { PROLOGUE: true, ACTIVATION: ACTIVATIONS[activation] };
}

/** y = act(x), element by element. */
export function activation(g: GraphBuilder, name: string, x: Tensor, kind: Activation): Tensor {
  const y = g.tensor(name, x.shape);
  g.add(activationOp, name, { x }, { y }, { kind });
  return y;
}

/** Activations of 0 that are 0: they leave the padding of channels as it is. */
export const keepsZero = (kind: Activation): boolean =>
  kind !== 'sigmoid' && kind !== 'hardsigmoid' && kind !== 'softplus';

/** Activations whose derivative at x is that at act(x): nothing but their output need be kept. */
export const tellsByOutput = (kind: Activation): boolean => kind === 'relu' || kind === 'relu6';

/** Activations of a few simple operations each; any other takes exponentials, or a root. */
const SIMPLE: readonly Activation[] = ['none', 'relu', 'relu6', 'hardswish', 'hardsigmoid', 'negative'];
export const isSimple = (kind: Activation): boolean => SIMPLE.includes(kind);

interface Forward {
  inputs: { x: Tensor };
  outputs: { y: Tensor };
  attrs: { kind: Activation };
}

export const activationOp: Op<Forward> = {
  name: 'activation',
  lower: ({ inputs: { x }, outputs: { y }, attrs }) => {
    const size = elements(y) / 4;
    return [
      {
        shader: 'activation/forward',
        constants: {
          SIZE: size,
          CHANNELS: y.shape.at(-1)!,
          ACTIVATION: ACTIVATIONS[attrs.kind],
        },
        reads: { x },
        writes: { y },
        workgroups: workgroupsFor(size),
        flops: elements(y),
      },
    ];
  },
  backward: ({ inputs: { x }, outputs: { y }, attrs, name }, tape) => {
    const dy = tape.gradient(y)!;
    const kept = tellsByOutput(attrs.kind) ? y : x;
    tape.contribute(x, ({ out, addend }) =>
      tape.graph.add(activationBackwardOp, name, { x: kept, dy, addend }, { dx: out }, attrs),
    );
  },
};

/** x: what the derivative is told by, the activation's input or ({@link tellsByOutput}) its output. */
interface Backward {
  inputs: { x: Tensor; dy: Tensor; addend?: Tensor };
  outputs: { dx: Tensor };
  attrs: { kind: Activation };
}

export const activationBackwardOp: Op<Backward> = {
  name: 'activation_backward',
  lower: ({ inputs: { x, dy, addend }, outputs: { dx }, attrs }) => {
    const size = elements(dx) / 4;
    return [
      {
        shader: 'activation/backward',
        constants: {
          SIZE: size,
          ACTIVATION: ACTIVATIONS[attrs.kind],
          ADDEND: addend !== undefined,
        },
        reads: { x, dy, addend },
        writes: { dx },
        workgroups: workgroupsFor(size),
        flops: 2 * elements(dx),
      },
    ];
  },
};
