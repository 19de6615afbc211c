import type { Constants, Op, Tensors } from '../graph/ir';
import { elements, present, type Tensor } from '../graph/tensor';
import { workgroupsFor } from '../graph/workgroups';
import { ACTIVATIONS, type Activation } from './activation';

/** Tensors that one dispatch reads, and as many that it writes: with the norms of two the buffers that WebGPU promises. */
export const MOST_REGROUPED = 3;

interface Regroup {
  /**
   * x0 to x2 `[n, h, w, c_i]`; with coef0, coef1 the raw outputs before batch norms and `activation`; `residual`, which is added
   * where y0 is alone and x2 not there
   */
  inputs: Tensors;
  /** y0 to y2, of as many channels together */
  outputs: Tensors;
  attrs: {
    /** of a shuffle: channel j of group i goes to place i of group j; 1 shuffles nothing */
    groups: number;
    activation?: Activation;
  };
}

/** The channels of several tensors side by side, shuffled, and cut into several tensors: what passes make of ops that move channels. */
export const regroupOp: Op<Regroup> = {
  name: 'regroup_channels',
  lower: ({ inputs, outputs, attrs: { groups, activation = 'none' } }) => {
    const { residual, ...tensors } = inputs;
    const ys = present(outputs);
    const size = ys.reduce((sum, y) => sum + elements(y) / 4, 0);
    return [
      {
        shader: 'shape/regroup',
        constants: {
          SIZE: size,
          GROUPS: groups,
          CHANNELS: ys.reduce((sum, y) => sum + y.shape[3], 0),
          ...ends('X', inputs),
          ...pitches(inputs),
          ...ends('Y', outputs),
          NORM0: inputs.coef0 !== undefined,
          NORM1: inputs.coef1 !== undefined,
          RESIDUAL: residual !== undefined,
          ACTIVATION: ACTIVATIONS[activation],
        },
        // what is added stands where a third tensor would
        reads: { ...tensors, x2: residual ?? tensors.x2 },
        writes: outputs,
        workgroups: workgroupsFor(size),
        flops: 0,
      },
    ];
  },
};

const places = Array.from({ length: MOST_REGROUPED }, (_, i) => i);

/** Which tensors there are, and the channels behind those of each; of one that is not there, of the last. */
function ends(name: 'X' | 'Y', tensors: Tensors): Constants {
  let end = 0;
  const constants: Constants = {};
  for (const i of places) {
    const t = at(tensors, name, i);
    end += t?.shape[3] ?? 0;
    constants[`${name}_END${i}`] = end;
    if (i > 0) constants[`${name}${i}`] = t !== undefined;
  }
  return constants;
}

const pitches = (inputs: Tensors): Constants =>
  Object.fromEntries(places.map((i) => [`X_PITCH${i}`, at(inputs, 'X', i)?.padded[3] ?? 0]));

const at = (tensors: Tensors, name: 'X' | 'Y', i: number): Tensor | undefined =>
  tensors[`${name.toLowerCase()}${i}`];
