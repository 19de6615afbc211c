/** The experiments of this browser, kept with what their runs came to. */
import { createStore, del, entries, get, set } from 'idb-keyval';
import { type Cell, cellsOf } from '../../experiment/cells';
import type { EndedCell } from '../../experiment/ended-cells';
import { type Experiment, parseExperiment } from '../../experiment/experiment';

/** A cell that has come to an end, with the network that others start from: a file named by its kind; an earlier version's has no name. */
export type KeptCell = EndedCell & { merged?: File | Blob };

export interface KeptExperiment {
  id: string;
  /** when it was begun, ISO 8601 */
  date: string;
  /** whether its network and images are the built-in ones that it names, not those of step 1; absent: another version wrote it */
  isBuiltin?: boolean;
  /** the network and images that it was begun with, in words, with their sizes; absent until its first run, or as above */
  inputs?: string;
  experiment: Experiment;
  ended: KeptCell[];
  /** the searches that diverged in their first epoch: they are over, and left nothing */
  diverged: string[];
}

/** What the database has of one. */
type Written = Omit<KeptExperiment, 'id' | 'ended'> & {
  ended: (Omit<KeptCell, 'cell'> & { cell: string })[];
};

/** Where it is kept which one was shown last. */
const SHOWN = 'shown';
const store = createStore('refocus-experiment', 'experiments');

/** A browser that keeps nothing has it as long as the page is open. */
export const keepExperiment = ({ id, ended, ...rest }: KeptExperiment): Promise<void> =>
  set(id, { ...rest, ended: ended.map((one) => ({ ...one, cell: one.cell.id })) }, store).catch(() => {});

export const forgetExperiment = (id: string): Promise<void> => del(id, store).catch(() => {});

/** Which one is shown, and the experiment that the address named then: a link to another one leads to that. */
export interface ShownExperiment {
  id: string;
  address: string;
}

/** Keeps it for a reload. */
export const keepShown = (shown: ShownExperiment | undefined): Promise<void> =>
  (shown ? set(SHOWN, shown, store) : del(SHOWN, store)).catch(() => {});

export const readShown = (): Promise<ShownExperiment | undefined> =>
  get<ShownExperiment>(SHOWN, store).catch((): undefined => undefined);

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
    const { date = '', isBuiltin, inputs, diverged = [] } = written;
    return { id, date, isBuiltin, inputs, experiment, ended, diverged };
  } catch {
    return undefined;
  }
}
