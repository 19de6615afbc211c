/** What a run reports: the proof of its merge, its figures and what became of its images. */
import type { ImageSetReport } from '../data/report';
import type { Tuning } from '../graph/tuning';

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

export interface Report {
  /** `base` is absent where the network has a new classifier: fine-tuning as long is then the comparison */
  accuracy: { base?: number; last: number; best: number };
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
