import type { Dispatch, LowerContext, Node, Signature, Tensors } from '../../graph/ir';
import { product, type Tensor } from '../../graph/tensor';
import type { Tuning } from '../../graph/tuning';
import type { ConvAttributes, ConvFamily, ConvTensors } from './family';
import { gemm } from './gemm';
import { pointwise } from './pointwise';

/** Images as rows of a matrix, in the memory where they are. */
const asRows = (t: Tensor): Tensor => {
  const shape = [t.shape[0], 1, 1, product(t.padded.slice(1))];
  return { ...t, shape, padded: shape };
};

/** A kernel as a matrix, likewise. */
const asMatrix = (t: Tensor): Tensor => {
  const inputs = product(t.padded.slice(0, 3));
  return { ...t, shape: [1, 1, inputs, t.shape[3]], padded: [1, 1, inputs, t.padded[3]] };
};

/** What the nodes of a convolution's passes call their tensors over images and over the kernel; y and dy are rows already. */
const MATRICES: Record<string, (t: Tensor) => Tensor> = {
  x: asRows,
  dx: asRows,
  addend: asRows,
  w: asMatrix,
  dw: asMatrix,
};

const ALONE: ConvAttributes = { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 };

const familyOf = (tuning: Tuning): ConvFamily => (tuning.workgroupMemory ? gemm : pointwise);

/** The dispatches of a node whose tensors are taken for matrices; they name the tensors themselves again. */
function lower<S extends Signature>(
  node: Node<S>,
  context: LowerContext,
  by: (node: Node<S>, context: LowerContext) => Dispatch[],
): Dispatch[] {
  const originals = new Map<Tensor, Tensor>();
  const taken = (tensors: Tensors): Tensors =>
    mapped(tensors, (t, name) => {
      const matrix = MATRICES[name]?.(t);
      if (matrix) originals.set(matrix, t);
      return matrix ?? t;
    });
  const given = (tensors: Tensors): Tensors => mapped(tensors, (t) => originals.get(t) ?? t);
  const attrs = { ...node.attrs, ...ALONE, paddingEnd: undefined };
  const matrices = { ...node, inputs: taken(node.inputs), outputs: taken(node.outputs), attrs };
  return by(matrices, context).map((dispatch) => ({
    ...dispatch,
    reads: given(dispatch.reads),
    writes: given(dispatch.writes),
  }));
}

const mapped = (tensors: Tensors, by: (t: Tensor, name: string) => Tensor): Tensors =>
  Object.fromEntries(Object.entries(tensors).map(([name, t]) => [name, t && by(t, name)]));

/** Whether a kernel has one place in an image, which it fills: each of its weights meets one number of an image. */
const fills = ({ x, w, attrs }: ConvTensors): boolean =>
  attrs.groups === 1 &&
  w.shape[0] * w.shape[1] > 1 &&
  w.shape[0] === x.shape[1] &&
  w.shape[1] === x.shape[2] &&
  [...attrs.padding, ...(attrs.paddingEnd ?? [])].every((p) => p === 0) &&
  // channels beside which there is no padding, so that a matrix has none in its middle
  x.shape[3] === x.padded[3];

/**
 * A kernel as large as the image, as the first linear layer of VGG is one: a product of matrices, of which images are rows. Its
 * gradient as a convolution's would meet 49 taps a pixel to find the one that is there. Takes in no batch norms.
 */
export const whole: ConvFamily = {
  fits: fills,
  forward: (node, context) => lower(node, context, familyOf(context.tuning).forward),
  backwardInput: (node, context) => lower(node, context, familyOf(context.tuning).backwardInput),
  backwardWeight: (node, context) => lower(node, context, familyOf(context.tuning).backwardWeight),
  sumsBias: () => true,
};
