import type { Lowered } from '../graph/ir';
import { workgroupsFor } from '../graph/workgroups';

/** Sums that share a dispatch: as many as eight storage buffers allow. */
const SUMS = 4;

/**
 * Puts the last step of four layers' weight gradients into one dispatch. Nothing reads a parameter's gradient before
 * the update, so the sums may wait for each other; what is left over runs alone before the update begins.
 */
export function mergeSums(lowered: Lowered[]): Lowered[] {
  const out: Lowered[] = [];
  let waiting: Lowered[] = [];
  for (const item of lowered) {
    if (item.node.phase === 'update') out.push(...waiting.splice(0));
    if (!isWeightGradient(item)) {
      out.push(item);
      continue;
    }
    waiting.push(item);
    if (waiting.length < SUMS) continue;
    out.push(merge(waiting));
    waiting = [];
  }
  return [...out, ...waiting];
}

const isWeightGradient = ({ dispatch }: Lowered): boolean =>
  dispatch.shader === 'reduce/sum_splits' && dispatch.writes.out?.role === 'gradient';

function merge(items: Lowered[]): Lowered {
  const numbered = (name: string, of: (item: Lowered) => unknown) =>
    Object.fromEntries(items.map((item, j) => [`${name}${j}`, of(item)]));
  const sum = (of: (item: Lowered) => number) => items.reduce((total, item) => total + of(item), 0);
  return {
    node: items[items.length - 1].node,
    dispatch: {
      shader: 'reduce/sum_splits_4',
      constants: {
        ...(numbered('SIZE', (i) => i.dispatch.constants.SIZE) as Record<string, number>),
        ...(numbered('SPLITS', (i) => i.dispatch.constants.SPLITS) as Record<string, number>),
      },
      reads: numbered('partial', (i) => i.dispatch.reads.partial) as Lowered['dispatch']['reads'],
      writes: numbered('out', (i) => i.dispatch.writes.out) as Lowered['dispatch']['writes'],
      workgroups: workgroupsFor(sum((i) => Number(i.dispatch.constants.SIZE))),
      flops: sum((i) => i.dispatch.flops),
    },
  };
}
