/** Which cell is next, and how long all of it still takes. */
import type { Cell } from './cells';

/** What is known of a cell's way. */
export type CellState =
  /** nobody has begun it, or who did is gone */
  | 'open'
  /** another process has it */
  | 'claimed'
  | 'ended'
  /** it could not come to an end here */
  | 'failed';

export type States = ReadonlyMap<string, CellState>;

const stateOf = (states: States, id: string): CellState => states.get(id) ?? 'open';

/** The cells that could be begun now, the next first. */
export const readyCells = (cells: readonly Cell[], states: States): Cell[] =>
  cells.filter(
    ({ id, needs }) =>
      stateOf(states, id) === 'open' && needs.every((need) => stateOf(states, need) === 'ended'),
  );

/** The cells in the order in which a single process takes them: each after all that it needs. */
export function queueOrder(cells: readonly Cell[]): Cell[] {
  const states = new Map<string, CellState>();
  const order: Cell[] = [];
  for (let [next] = readyCells(cells, states); next; [next] = readyCells(cells, states)) {
    order.push(next);
    states.set(next.id, 'ended');
  }
  return order;
}

/** Whether others are at work on what this process could go on with afterwards. */
export const isWaiting = (cells: readonly Cell[], states: States): boolean =>
  cells.some(({ id }) => stateOf(states, id) === 'claimed');

/** The time that a cell took. */
export interface CellTime {
  id: string;
  seconds: number;
}

/**
 * Seconds that are left, by the time that the ended cells took for their work; undefined as long as nothing is known.
 * @param running the cells at work, and which share of each is done
 * @param pace seconds of a unit of work, where no cell has ended yet
 */
export function secondsLeft(
  cells: readonly Cell[],
  states: States,
  {
    times,
    running,
    pace,
  }: { times: readonly CellTime[]; running: ReadonlyMap<string, number>; pace?: number },
): number | undefined {
  const workOf = new Map(cells.map(({ id, work }) => [id, work]));
  const known = times.filter(({ id }) => workOf.has(id));
  const work = known.reduce((sum, { id }) => sum + workOf.get(id)!, 0);
  const seconds = known.reduce((sum, time) => sum + time.seconds, 0);
  const perUnit = work > 0 ? seconds / work : pace;
  if (perUnit === undefined || !Number.isFinite(perUnit)) return undefined;
  const left = cells.reduce((sum, cell) => {
    const state = stateOf(states, cell.id);
    return state === 'ended' || state === 'failed'
      ? sum
      : sum + cell.work * (1 - (running.get(cell.id) ?? 0));
  }, 0);
  return (perUnit * left) / Math.max(1, running.size);
}
