/** What a run reports: the proof of its merge, its figures and what became of its images. */
import type { ClassFigures, Prediction } from '../analysis/class-figures';
import { type Flips, flipsBetween, type Interval, wilsonInterval } from '../analysis/uncertainty';
import type { ImageSetReport } from '../data/report';
import type { Tuning } from '../graph/tuning';
import type { TaskName } from '../model/model';
import type { Held } from '../train/held';
import type { NonFinite } from '../train/non-finite';
import type { Ended } from '../train/observer';
import type { RunSettings } from '../train/settings';
import type { DenseFigures } from './dense';
import type { RedundancyChange } from './redundancy';

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
    /** its classifier started anew: there is no accuracy of before, and fine-tuning as long is the comparison */
    newHead: boolean;
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
  /** where the first number came from that was infinite or NaN, if that ended the run and it was found */
  nonFinite?: NonFinite;
  /**
   * what the merged networks say of the test images, class by class; `best` is absent where the last is the best, both where no
   * device was left to test on
   */
  evaluation: { last?: ClassFigures; best?: ClassFigures };
  /** of a network for another task than classification, class by class; all accuracies of the run are then their means */
  dense?: { task: TaskName; base?: DenseFigures; last?: DenseFigures; best?: DenseFigures };
  /** what the accuracies are worth: they are shares of so many images */
  uncertainty: Uncertainty;
  proof: MergeProof;
  /** how alike the kernels of each spatial convolution are, before and after the last step, in order of execution */
  redundancy: RedundancyChange[];
  steps: number;
  seconds: number;
  /** median wall time of a training step, milliseconds */
  stepMs: number;
  /** of a step; floating-point operations are absent in reports of earlier versions */
  plan: { dispatches: number; bytesPerStep: number; peakBytes: number; flopsPerStep?: number };
  /** images of each set, and how many of them the GPU held at a time: fewer where they were streamed */
  held: { train: Held; test: Held };
  adapter: string;
  /** how the plans were cut */
  tuning: Tuning;
  /** what was found in each source of files; absent for the built-in images */
  data?: DataSummary[];
}

/** How far accuracies on these test images may be from those on all images of their kind. */
export interface Uncertainty {
  images: number;
  /** of each accuracy, Wilson's, 95 %; of a mean over classes by drawing the images anew */
  intervals: { base?: Interval; last: Interval; best: Interval };
  /** images that the merged network tells otherwise than the network as it was loaded; absent where there are none to compare */
  flips?: { last: Flips; best: Flips };
}

/** What single networks say of the test images, in these images' order; `best` is absent where the last is the best. */
export interface TestPredictions {
  base?: Prediction[];
  last?: Prediction[];
  best?: Prediction[];
}

export function uncertaintyOf(
  images: number,
  { base, last, best }: Report['accuracy'],
  predictions: TestPredictions,
): Uncertainty {
  const interval = (accuracy: number) => wilsonInterval(Math.round(accuracy * images), images);
  const before = predictions.base;
  const after = predictions.last;
  return {
    images,
    intervals: {
      ...(base !== undefined && { base: interval(base) }),
      last: interval(last),
      best: interval(best),
    },
    ...(before &&
      after && {
        flips: { last: flipsBetween(before, after), best: flipsBetween(before, predictions.best ?? after) },
      }),
  };
}

/** A report on a source, without the list of skipped files, which may be long. */
export type DataSummary = Omit<ImageSetReport, 'skipped'> & { skipped: number };

export function summaryOf(report: ImageSetReport): DataSummary {
  return { ...report, skipped: report.skipped.length };
}
