/** Runs beside each other: what they came to, against one of them, and which of their settings differ. */
import { comparePaired, type PairedComparison } from '../analysis/uncertainty';
import { csv } from '../io/csv';
import type { Report } from '../run/report';
import type { KeptRun } from '../run/run-files';
import { fieldText } from '../train/field';

/** A run with the name that its user gave it. */
export interface NamedRun extends KeptRun {
  name: string;
}

/** A run that has come to an end. */
export type EndedRun = NamedRun & { report: Report };

export const hasEnded = (run: NamedRun): run is EndedRun => run.report !== undefined;

/** A run in the table of arms. */
export interface Arm {
  run: EndedRun;
  /** whether the others are compared with it */
  isReference: boolean;
  /** its last accuracy less that of the reference */
  difference: number;
  /** the same image by image; absent where the two were not tested on the same images */
  paired?: PairedComparison;
}

/** @param reference index of the run that the others are compared with */
export function armsOf(runs: readonly EndedRun[], reference = 0): Arm[] {
  const first = runs[reference];
  return runs.map((run, i) => ({
    run,
    isReference: i === reference,
    difference: run.report.accuracy.last - first.report.accuracy.last,
    paired: i === reference ? undefined : comparePaired(first.predictions.last, run.predictions.last),
  }));
}

/** The table of arms as it is exported: a row a run, a column a figure. Absent figures are null. */
export function armsTable(arms: readonly Arm[]): Record<string, string | number | null>[] {
  return arms.map(({ run: { name, report }, isReference, difference, paired }) => {
    const { accuracy, uncertainty, settings, plan } = report;
    const [low, high] = uncertainty.intervals.last;
    return {
      name,
      method: settings.method,
      seed: report.seed,
      ended: report.ended,
      test_images: uncertainty.images,
      base: accuracy.base ?? null,
      last: accuracy.last,
      last_low: low,
      last_high: high,
      best: accuracy.best,
      best_epoch: report.best,
      difference: isReference ? null : difference,
      difference_low: paired?.interval[0] ?? null,
      difference_high: paired?.interval[1] ?? null,
      gained: paired?.flips.gained ?? null,
      lost: paired?.flips.lost ?? null,
      mcnemar_p: paired?.flips.p ?? null,
      steps: report.steps,
      step_ms: report.stepMs,
      seconds: report.seconds,
      peak_bytes: plan.peakBytes,
      merge_proven: String(report.proof.ok),
      adapter: report.adapter,
    };
  });
}

export function armsCsv(arms: readonly Arm[]): string {
  const rows = armsTable(arms);
  const names = Object.keys(rows[0] ?? {});
  return csv([names, ...rows.map((row) => names.map((name) => row[name] ?? ''))]);
}

/** Enough of a digest to tell two files apart. */
const shortened = (digest: string): string => digest.slice(0, 12);

/** What a run was made of, by which runs are told apart: inputs first, then settings. */
function traits({ report }: EndedRun): Map<string, string> {
  const { network, sources, settings, classes, adapter, version, sha256 } = report;
  const found = new Map<string, string>([
    ['network', network.source],
    ['weights, SHA-256', Object.values(sha256.in).map(shortened).join(', ')],
    ['training images', sources.train.join(', ')],
    ['test images', (sources.test ?? ['of the same source']).join(', ')],
    ['classes', String(classes.length)],
  ]);
  for (const [name, value] of Object.entries(settings)) found.set(name, fieldText(value));
  return found.set('adapter', adapter).set('version', version);
}

/** What differs between runs: a name, and each run's value. */
export function differences(runs: readonly EndedRun[]): { name: string; values: string[] }[] {
  const all = runs.map(traits);
  const names = [...new Set(all.flatMap((one) => [...one.keys()]))];
  return names
    .map((name) => ({ name, values: all.map((one) => one.get(name) ?? '–') }))
    .filter(({ values }) => new Set(values).size > 1);
}

/** What must be alike for a comparison of methods to be fair: all but method and seed. */
export const isSameArm = (one: EndedRun, other: EndedRun): boolean =>
  differences([one, other]).every(({ name }) => name === 'seed');

/** Whether two runs differ in their method, and at most in their seed besides. */
export const isFairPair = (one: EndedRun, other: EndedRun): boolean => {
  const names = differences([one, other]).map(({ name }) => name);
  return names.includes('method') && names.every((name) => name === 'method' || name === 'seed');
};
