/** The pass of recompute.ts, which only a limit of memory needs: what a page's worker begins with is small. */
import type { Lowered } from '../graph/ir';

type Recompute = typeof import('./recompute').recompute;

let recompute: Recompute | undefined;

/** To be awaited before anything is planned with these settings. @param memory the limit in megabytes; 0: none */
export async function readyForLimit({ memory }: { memory: number }): Promise<void> {
  if (memory > 0) ({ recompute } = await import('./recompute'));
}

/**
 * Keeps a step's memory within so many bytes.
 * @throws OverLimit where it cannot be
 */
export function withinLimit(lowered: Lowered[], limit: number): Lowered[] {
  if (!recompute) throw new Error('planned with a limit of memory before readyForLimit');
  return recompute(lowered, limit);
}
