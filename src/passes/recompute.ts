/** Memory for time: parts of the forward pass are computed again in the backward pass (gradient checkpointing, arXiv 1604.06174). */
import { OverLimit } from '../errors';
import type { Dispatch, Lowered, Tensors } from '../graph/ir';
import { placeTensors } from '../graph/memory';
import { present, type Tensor } from '../graph/tensor';
import { Checkpoints } from './checkpoints';

/**
 * Keeps a step's memory, the images apart, within `limit` bytes: what the forward pass wrote is forgotten after its last reader
 * there, and the dispatches that wrote it run again, each at most once, before the first of the backward pass that reads it.
 * They are the same dispatches on the same numbers, so that the step gives the same bits; what writes running statistics or
 * metrics runs once. Of the ways that fit, the one that computes least again is taken, and none where the step fits as it is.
 * @throws OverLimit where no way fits
 */
export function recompute(lowered: Lowered[], limit: number): Lowered[] {
  if (bytesOfStep(lowered) <= limit) return lowered;
  const checkpoints = new Checkpoints(lowered.map(({ node, dispatch }) => ({ phase: node.phase, dispatch })));
  const again = (dropped: Uint8Array) => withRepeats(lowered, checkpoints, dropped);
  const persistent = bytesOfStep(lowered, false);
  // buffers are a little larger than what lives at once: the search aims lower until they fit too
  let target = limit - persistent;
  for (let tries = 0; tries < TRIES; tries++) {
    const dropped = checkpoints.cheapest(target);
    if (!dropped) break;
    const step = again(dropped);
    const excess = bytesOfStep(step) - limit;
    if (excess <= 0) return step;
    target -= excess + MARGIN * limit;
  }
  const step = again(checkpoints.smallest());
  const least = bytesOfStep(step);
  if (least > limit) throw new OverLimit(limit, least);
  return step;
}

const TRIES = 8;
/** Share of the limit that a try aims lower than the one before it missed by. */
const MARGIN = 0.005;

/** Bytes of a step's buffers, the images apart; without `activations` of what persists alone. */
function bytesOfStep(lowered: readonly Lowered[], activations = true): number {
  const usage = lowered.map(({ dispatch }) => ({
    reads: present(dispatch.reads),
    writes: present(dispatch.writes),
  }));
  const { buffers } = placeTensors(usage, {});
  return Object.entries(buffers)
    .filter(([name]) => !name.startsWith('input ') && (activations || !name.startsWith('slot ')))
    .reduce((sum, [, bytes]) => sum + bytes, 0);
}

/** The dispatches in their new order; those that run again write tensors of their own, which later readers read. */
function withRepeats(lowered: readonly Lowered[], checkpoints: Checkpoints, dropped: Uint8Array): Lowered[] {
  const copies = new Map<Tensor, Tensor>();
  const copyOf = (t: Tensor): Tensor => {
    const copy = copies.get(t) ?? { ...t, id: firstId + copies.size, name: `${t.name} again` };
    copies.set(t, copy);
    return copy;
  };
  const firstId = 1 + Math.max(...lowered.flatMap(({ dispatch }) => tensorsOf(dispatch)).map(({ id }) => id));
  const replaced = (tensors: Tensors, by: (t: Tensor) => Tensor): Tensors =>
    Object.fromEntries(Object.entries(tensors).map(([name, t]) => [name, t && by(t)]));
  return Array.from(checkpoints.order(dropped), (turn): Lowered => {
    const isRepeat = turn < 0;
    const item = lowered[isRepeat ? ~turn : turn];
    const { node, dispatch } = item;
    if (node.phase === 'forward' && !isRepeat) return item;
    const reads = replaced(dispatch.reads, (t) => copies.get(t) ?? t);
    if (!isRepeat) return { node, dispatch: { ...dispatch, reads } };
    return {
      node: { ...node, name: `${node.name} again`, phase: 'backward' },
      dispatch: { ...dispatch, reads, writes: replaced(dispatch.writes, copyOf) },
    };
  });
}

const tensorsOf = ({ reads, writes }: Dispatch): Tensor[] => [...present(reads), ...present(writes)];
