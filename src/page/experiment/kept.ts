/** The experiments of this browser, kept with what their runs came to. */
import { createStore, del, entries, get, set } from 'idb-keyval';
import { type Cell, cellsOf } from '../../experiment/cells';
import type { EndedCell } from '../../experiment/ended-cells';
import { type Experiment, parseExperiment } from '../../experiment/experiment';

/** A cell that has come to an end, with the network that others start from. */
export type KeptCell = EndedCell & { merged?: Blob };

export interface KeptExperiment {
  id: string;
  /** when it was begun, ISO 8601 */
  date: string;
  experiment: Experiment;
  ended: KeptCell[];
}

/** What the database has of one. */
type Written = Omit<KeptExperiment, 'id' | 'ended'> & {
  ended: (Omit<KeptCell, 'cell'> & { cell: string })[];
};

/** Where the id of the one that was shown last is. */
const SHOWN = 'shown';
const store = createStore('refocus-experiment', 'experiments');

/** A browser that keeps nothing has it as long as the page is open. */
export const keepExperiment = ({ id, ended, ...rest }: KeptExperiment): Promise<void> =>
  set(id, { ...rest, ended: ended.map((one) => ({ ...one, cell: one.cell.id })) }, store).catch(() => {});

export const forgetExperiment = (id: string): Promise<void> => del(id, store).catch(() => {});

/** Keeps which one is shown, for a reload. */
export const keepShown = (id: string | undefined): Promise<void> =>
  (id === undefined ? del(SHOWN, store) : set(SHOWN, id, store)).catch(() => {});

/** The one that was shown. */
export const readShown = (): Promise<string | undefined> =>
  get<string>(SHOWN, store).catch((): undefined => undefined);

/** All that were kept, the latest first; those that another version wrote are left alone. */
export async function readExperiments(): Promise<KeptExperiment[]> {
  const found = await entries<string, Written>(store).catch((): [string, Written][] => []);
  return found.flatMap(([id, written]) => read(id, written) ?? []).sort((a, b) => (a.date < b.date ? 1 : -1));
}

function read(id: string, written: Written): KeptExperiment | undefined {
  if (id === SHOWN) return undefined;
  try {
    const experiment = parseExperiment(written.experiment, 'The kept experiment');
    const cells = new Map(cellsOf(experiment).map((cell): [string, Cell] => [cell.id, cell]));
    const ended = written.ended.flatMap((one): KeptCell[] => {
      const cell = cells.get(one.cell);
      return cell ? [{ ...one, cell }] : [];
    });
    return { id, date: written.date ?? '', experiment, ended };
  } catch {
    return undefined;
  }
}
