import type { Dispatch, NoAttributes, Op, Tape } from '../../graph/ir';
import { elements, type Tensor } from '../../graph/tensor';
import { workgroupsFor } from '../../graph/workgroups';

/** Entries of the ring of metrics; step s writes entry s % METRICS_RING. */
export const METRICS_RING = 256;

/** Sums the numbers of a batch's images into the ring of metrics, and makes their first, the loss, a mean. */
export const imageSums = (partial: Tensor, loss: Tensor, metrics: Tensor): Dispatch => ({
  shader: 'loss/image_sums',
  constants: { N: partial.shape[0], SUMS: partial.shape[1], RING: METRICS_RING },
  reads: { partial },
  writes: { loss, metrics },
  workgroups: [1, 1, 1],
  flops: elements(partial),
  // of the ring one entry
  bytes: 4 * (elements(partial) + partial.shape[1]) + 4,
});

/** The way back through a loss that has written its gradient with it: that gradient times the loss's own. */
export function lossBackward(
  tape: Tape,
  name: string,
  { logits, loss, dlogits }: { logits: Tensor; loss: Tensor; dlogits: Tensor },
): void {
  const dloss = tape.gradient(loss)!;
  tape.contribute(logits, ({ out, addend }) =>
    tape.graph.add(backward, name, { dlogits, dloss, addend }, { out }, {}),
  );
}

interface Backward {
  inputs: { dlogits: Tensor; dloss: Tensor; addend?: Tensor };
  outputs: { out: Tensor };
  attrs: NoAttributes;
}

const backward: Op<Backward> = {
  name: 'loss_backward',
  lower: ({ inputs: { dlogits, dloss, addend }, outputs: { out } }) => {
    const size = elements(out) / 4;
    return [
      {
        shader: 'loss/scale_by_scalar',
        constants: { SIZE: size, ADDEND: addend !== undefined },
        reads: { x: dlogits, scalar: dloss, addend },
        writes: { out },
        workgroups: workgroupsFor(size),
        flops: elements(out),
      },
    ];
  },
};
