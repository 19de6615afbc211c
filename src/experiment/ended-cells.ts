/** Cells that have come to an end, and what each left. */
import type { Pictures } from '../run/pictures';
import type { Report } from '../run/report';
import type { KeptRun, RunRedundancy } from '../run/run-files';
import type { Cell, CellOutcome, Outcomes } from './cells';

/** An ended cell with what it left. */
export interface EndedCell {
  cell: Cell;
  run: KeptRun & { report: Report };
}

/** What the other cells need of an ended one. */
export const outcomeOf = ({ evals, report }: EndedCell['run']): CellOutcome => {
  const last = evals.findLast(({ which }) => which === 'last')?.point;
  return { accuracy: report.accuracy.last, loss: last?.loss ?? Number.NaN };
};

/** Of a rate that diverged, in whatever epoch: it has lost. */
const DIVERGED: CellOutcome = { accuracy: 0, loss: Number.NaN, diverged: true };

/** @param diverged searches that did so in their first epoch, and left no run */
export const outcomesOf = (ended: readonly EndedCell[], diverged: readonly string[]): Outcomes =>
  new Map([
    ...diverged.map((id) => [id, DIVERGED] as const),
    ...ended.map(
      ({ cell: { id, kind }, run }) =>
        [id, kind === 'search' && run.report.ended === 'diverged' ? DIVERGED : outcomeOf(run)] as const,
    ),
  ]);

/** Kernels before and after, of the first run of each arm. */
export function redundancyOf(ended: readonly EndedCell[]): Map<string, RunRedundancy> {
  const found = new Map<string, RunRedundancy>();
  for (const { cell, run } of ended)
    if (cell.kind === 'run' && cell.arm !== undefined && !found.has(cell.arm))
      found.set(cell.arm, run.redundancy);
  return found;
}

/** What networks see, of the first run of each arm. */
export function picturesOf(ended: readonly EndedCell[]): Map<string, Pictures> {
  const found = new Map<string, Pictures>();
  for (const { cell, run } of ended)
    if (cell.kind === 'run' && cell.arm !== undefined && run.pictures && !found.has(cell.arm))
      found.set(cell.arm, run.pictures);
  return found;
}
