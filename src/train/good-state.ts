import type { Arenas, TrainingState } from './checkpoint';
import type { Kept, Past } from './history';

/**
 * A run as it was after its last good evaluation, to go on from at a lower rate: the optimiser begins afresh. A later checkpoint
 * may be on its way out of all sense already.
 * @param now arenas as they are, which tell which there are
 */
export function goodState(
  now: Arenas,
  { snapshot, point }: Kept,
  run: {
    /** up to that evaluation */
    past: Past;
    watch: TrainingState['watch'];
    part: TrainingState['phase']['part'];
    schedule: TrainingState['schedule'];
  },
): TrainingState {
  const arenas = [...now].map(([name, { length }]) => {
    // averages go on from what they have come to
    const good = snapshot.buffers.get(name.replace(/^average /, ''));
    return [name, good ?? new Float32Array(length)] as const;
  });
  const { start, bestEpoch } = run.watch;
  return {
    ...run.past,
    step: point.step,
    now: new Map(arenas),
    phase: { part: run.part, start: point.step },
    schedule: run.schedule,
    watch: { start, bestEpoch, epoch: { steps: 0, accuracy: 0 }, recent: [] },
  };
}
