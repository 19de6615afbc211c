import type { Constants, GraphBuilder, NoAttributes, Op } from '../graph/ir';
import { elements, type Tensor } from '../graph/tensor';
import { workgroupsFor } from '../graph/workgroups';

/** torch.nn.functional.adaptive_avg_pool2d of x `[n, h, w, c]` to `[n, rows, columns, c]`. */
export function adaptiveAvgPool2d(
  g: GraphBuilder,
  name: string,
  x: Tensor,
  [rows, columns]: readonly [number, number],
): Tensor {
  const y = g.tensor(name, [x.shape[0], rows, columns, x.shape[3]]);
  g.add(forward, name, { x }, { y }, {});
  return y;
}

/** x and y may be gradients of that shape. */
const geometry = (x: Tensor, y: Tensor): Constants => ({
  N: x.shape[0],
  H: x.shape[1],
  W: x.shape[2],
  OH: y.shape[1],
  OW: y.shape[2],
  C4: x.padded[3] / 4,
});

interface Forward {
  inputs: { x: Tensor };
  outputs: { y: Tensor };
  attrs: NoAttributes;
}

const forward: Op<Forward> = {
  name: 'adaptive_avg_pool2d',
  lower: ({ inputs: { x }, outputs: { y } }) => [
    {
      shader: 'pool/adaptive_forward',
      constants: geometry(x, y),
      reads: { x },
      writes: { y },
      workgroups: workgroupsFor(elements(y) / 4),
      flops: Math.max(elements(x), elements(y)),
    },
  ],
  backward: ({ inputs: { x }, outputs: { y }, name }, tape) => {
    const dy = tape.gradient(y)!;
    tape.contribute(x, ({ out, addend }) => tape.graph.add(backward, name, { dy, addend }, { dx: out }, {}));
  },
};

interface Backward {
  inputs: { dy: Tensor; addend?: Tensor };
  outputs: { dx: Tensor };
  attrs: NoAttributes;
}

const backward: Op<Backward> = {
  name: 'adaptive_avg_pool2d_backward',
  lower: ({ inputs: { dy, addend }, outputs: { dx } }) => [
    {
      shader: 'pool/adaptive_backward',
      constants: { ...geometry(dx, dy), ADDEND: addend !== undefined },
      reads: { dy, addend },
      writes: { dx },
      workgroups: workgroupsFor(elements(dx) / 4),
      flops: Math.max(elements(dx), elements(dy)),
    },
  ],
};
