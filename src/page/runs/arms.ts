/** Runs of the list as reports compare them. */
import type { Report } from '../../api';
import type { EndedRun, NamedRun } from '../../report/arms';
import type { RunEntry } from '../saved/entries';

export type EndedEntry = RunEntry & { report: Report };

export const hasReport = (entry: RunEntry): entry is EndedEntry => entry.report !== undefined;

/** A run by what its entry knows: figures and settings, without curves and predictions. */
export const summaryOf = ({ name, report }: EndedEntry): EndedRun => ({
  name,
  report,
  metrics: [],
  evals: [],
  predictions: {},
  redundancy: { before: [], after: [] },
});

const read = new Map<string, Promise<NamedRun>>();

/** A run with its curves and predictions, read once. */
export async function readNamed(entry: RunEntry): Promise<NamedRun> {
  const key = `${entry.id} ${entry.state} ${entry.report?.steps}`;
  const found =
    read.get(key) ??
    import('../saved/results').then(async ({ readKept }) => ({ name: '', ...(await readKept(entry.id)) }));
  read.set(key, found);
  found.catch(() => read.delete(key));
  return { ...(await found), name: entry.name };
}

/** Runs that have other seeds of the same two methods are compared over them; these are wanted at least. */
export const SEEDS = 3;
