/** The experiment of this browser, kept with what its runs came to. */
import { createStore, del, get, set } from 'idb-keyval';
import { type Cell, cellsOf } from '../../experiment/cells';
import type { EndedCell } from '../../experiment/ended-cells';
import { type Experiment, parseExperiment } from '../../experiment/experiment';

/** A cell that has come to an end, with the network that others start from. */
export type KeptCell = EndedCell & { merged?: Blob };

export interface KeptExperiment {
  experiment: Experiment;
  ended: KeptCell[];
}

const KEY = 'experiment';
const store = createStore('refocus-experiment', 'experiments');

/** A browser that keeps nothing has it as long as the page is open. */
export const keepExperiment = ({ experiment, ended }: KeptExperiment): Promise<void> =>
  set(KEY, { experiment, ended: ended.map((one) => ({ ...one, cell: one.cell.id })) }, store).catch(() => {});

export const forgetExperiment = (): Promise<void> => del(KEY, store).catch(() => {});

/** What was kept; undefined where there is nothing, or another version wrote it. */
export async function readExperiment(): Promise<KeptExperiment | undefined> {
  try {
    const found = await get<{ experiment: unknown; ended: (Omit<KeptCell, 'cell'> & { cell: string })[] }>(
      KEY,
      store,
    );
    if (!found) return undefined;
    const experiment = parseExperiment(found.experiment, 'The kept experiment');
    const cells = new Map(cellsOf(experiment).map((cell): [string, Cell] => [cell.id, cell]));
    const ended = found.ended.flatMap((one): KeptCell[] => {
      const cell = cells.get(one.cell);
      return cell ? [{ ...one, cell }] : [];
    });
    return { experiment, ended };
  } catch {
    return undefined;
  }
}
