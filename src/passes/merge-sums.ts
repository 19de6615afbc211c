import type { Lowered } from '../graph/ir';
import type { Tuning } from '../graph/tuning';
import { workgroupsFor } from '../graph/workgroups';
import { threadsFor } from '../ops/blocks';

/** Sums that share a dispatch: as many as eight storage buffers allow. */
const SUMS = 4;

/**
 * Puts the last step of four layers' weight gradients into one dispatch. Nothing reads a parameter's gradient before
 * the update, so the sums may wait for each other; what is left over runs before the update begins.
 */
export function mergeSums(lowered: Lowered[], tuning: Tuning): Lowered[] {
  const out: Lowered[] = [];
  let waiting: Lowered[] = [];
  for (const item of lowered) {
    if (item.node.phase === 'update') out.push(...mergeRest(waiting.splice(0), tuning));
    if (!isWeightGradient(item)) {
      out.push(item);
      continue;
    }
    waiting.push(item);
    if (waiting.length < SUMS) continue;
    out.push(merge(waiting, tuning));
    waiting = [];
  }
  return [...out, ...mergeRest(waiting, tuning)];
}

const mergeRest = (waiting: Lowered[], tuning: Tuning): Lowered[] =>
  waiting.length > 1 ? [merge(waiting, tuning)] : waiting;

const isWeightGradient = ({ dispatch }: Lowered): boolean =>
  dispatch.shader === 'reduce/sum_splits' && dispatch.writes.out?.role === 'gradient';

/** Threads of a workgroup of the shader that merges them. */
const WORKGROUP = 64;

function merge(items: Lowered[], tuning: Tuning): Lowered {
  const numbered = <T>(name: string, values: readonly T[]): Record<string, T> =>
    Object.fromEntries(values.map((value, j) => [`${name}${j}`, value]));
  const dispatches = items.map(({ dispatch }) => dispatch);
  const padded = (values: readonly number[], rest: number) => [...values, rest, rest].slice(0, SUMS);
  const sizes = dispatches.map(({ constants }) => Number(constants.SIZE));
  const splits = dispatches.map(({ constants }) => Number(constants.SPLITS));
  const threads = splits.map((terms) => Math.min(threadsFor(terms, tuning), WORKGROUP));
  const workgroups = sizes.reduce((all, size, j) => all + Math.ceil((size * threads[j]) / WORKGROUP), 0);
  return {
    node: items[items.length - 1].node,
    dispatch: {
      shader: 'reduce/sum_splits_4',
      constants: {
        ...numbered('SIZE', padded(sizes, 0)),
        ...numbered('SPLITS', padded(splits, 0)),
        ...numbered('THREADS', padded(threads, 1)),
        SUM2: items.length > 2,
        SUM3: items.length > 3,
        SHARED: threads.some((count) => count > 1),
      },
      reads: numbered(
        'partial',
        dispatches.map((d) => d.reads.partial),
      ),
      writes: numbered(
        'out',
        dispatches.map((d) => d.writes.out),
      ),
      workgroups: workgroupsFor(workgroups * WORKGROUP),
      flops: dispatches.reduce((all, { flops }) => all + flops, 0),
    },
  };
}
