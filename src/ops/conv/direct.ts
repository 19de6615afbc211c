import type { Constants } from '../../graph/ir';
import { elements, type Tensor } from '../../graph/tensor';
import { workgroupsFor } from '../../graph/workgroups';
import { splitsFor } from '../blocks';
import { partsOf } from '../reduce';
import {
  backwardInputTensors,
  backwardWeightTensors,
  type ConvFamily,
  type ConvTensors,
  convFlops,
  forwardTensors,
  sizes,
} from './family';

/** The constants that the three direct shaders share. */
function geometry(t: ConvTensors): Constants {
  const { x, w, y, attrs } = t;
  return {
    ...sizes(t),
    CI: x.shape[3],
    CIP: x.padded[3],
    CO: y.shape[3],
    COP: y.padded[3],
    CI_GROUP: x.shape[3] / attrs.groups,
    CIG: w.padded[2],
    CO_GROUP: y.shape[3] / attrs.groups,
    DH: attrs.dilation[0],
    DW: attrs.dilation[1],
    SPLITS: 1,
  };
}

/** Throws where a node asks for what these shaders do not do: a pass that fuses looks at ConvFamily first. */
function plain(...fused: (Tensor | undefined)[]): void {
  if (fused.some((t) => t)) throw new Error('the direct convolution fuses nothing');
}

/** Any convolution, one number a thread: what no other family fits, and the reference of those that do. Fuses nothing. */
export const direct: ConvFamily = {
  fits: () => true,
  forward: (node) => {
    const t = forwardTensors(node);
    const { bias, coef, residual } = node.inputs;
    plain(coef, residual, node.outputs.partial);
    return [
      {
        shader: 'conv/forward',
        constants: { ...geometry(t), BIAS: bias !== undefined },
        reads: { x: t.x, w: t.w, bias },
        writes: { y: t.y },
        workgroups: workgroupsFor(elements(t.y)),
        flops: convFlops(t),
      },
    ];
  },
  backwardInput: (node) => {
    const t = backwardInputTensors(node);
    const { addend, coef, xRaw } = node.inputs;
    plain(coef, xRaw, node.outputs.partial);
    return [
      {
        shader: 'conv/backward_input',
        constants: { ...geometry(t), ADDEND: addend !== undefined },
        reads: { dy: t.y, w: t.w, addend },
        writes: { dx: t.x },
        workgroups: workgroupsFor(elements(t.x)),
        flops: convFlops(t),
      },
    ];
  },
  backwardWeight: (node, context) => {
    const t = backwardWeightTensors(node);
    plain(node.inputs.coef);
    const splits = splitsFor(t.y.shape[0] * t.y.shape[1], elements(t.w), context.tuning.threads);
    const { partial, finish } = partsOf(node.name, t.w, splits, context);
    return [
      {
        shader: 'conv/backward_weight',
        constants: { ...geometry(t), SPLITS: splits },
        reads: { x: t.x, dy: t.y },
        writes: { partial },
        workgroups: workgroupsFor(splits * elements(t.w)),
        flops: convFlops(t),
      },
      ...finish,
    ];
  },
};
