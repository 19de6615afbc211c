/** What a run reports: the proof of its merge, its figures and what became of its images. */
import type { ClassFigures } from '../analysis/class-figures';
import type { ImageSetReport } from '../data/report';
import type { Tuning } from '../graph/tuning';
import type { RunSettings } from '../train/settings';
import type { Ended } from '../train/trainer';

export interface MergeProof {
  maxAbsLogitDiff: number;
  maxRelLogitDiff: number;
  top1Agreement: number;
  /** that were compared; 0: no device was there to compare on, and the three figures above are NaN */
  images: number;
  /** parameters and multiply-adds per image, of the input network and of the merged one */
  parameters: [number, number];
  multiplyAdds: [number, number];
  ok: boolean;
}

/** What a run was: enough to tell its files from others', and to repeat it. */
export interface RunRecord {
  /** when it began, ISO 8601 */
  date: string;
  /** of Refocus */
  version: string;
  /** with every `auto` decided */
  settings: RunSettings;
  seed: number;
  /** in the order of the classifier's rows */
  classes: readonly string[];
  network: {
    /** the file's name, or the architecture's */
    source: string;
    architecture: string;
    args: Record<string, unknown>;
    /** whose names the weights have */
    publisher: string;
  };
  /** names of the files or folders, or `builtin`; `test` is absent where the training source had the test images */
  sources: { train: string[]; test?: string[] };
  /** of the weights that came in and of every file that comes out, hexadecimal, by name */
  sha256: { in: Record<string, string>; out: Record<string, string> };
}

export interface Report extends RunRecord {
  /** `base` is absent where the network has a new classifier: fine-tuning as long is then the comparison */
  accuracy: { base?: number; last: number; best: number };
  /** the epoch with the best test accuracy, `base` where none is better than the network as it was loaded */
  best: number | 'base';
  ended: Ended;
  /**
   * what the merged networks say of the test images, class by class; `best` is absent where the last is the best, both where no
   * device was left to test on
   */
  evaluation: { last?: ClassFigures; best?: ClassFigures };
  proof: MergeProof;
  steps: number;
  seconds: number;
  /** median wall time of a training step, milliseconds */
  stepMs: number;
  plan: { dispatches: number; bytesPerStep: number; peakBytes: number };
  adapter: string;
  /** how the plans were cut */
  tuning: Tuning;
  /** what was found in each source of files; absent for the built-in images */
  data?: DataSummary[];
}

/** A report on a source, without the list of skipped files, which may be long. */
export type DataSummary = Omit<ImageSetReport, 'skipped'> & { skipped: number };

export function summaryOf(report: ImageSetReport): DataSummary {
  return { ...report, skipped: report.skipped.length };
}
