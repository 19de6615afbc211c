/** What a run reports: the proof of its merge and its figures. Types only. */
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
  accuracy: { base: number; last: number; best: number };
  proof: MergeProof;
  steps: number;
  seconds: number;
  /** median wall time of a training step, milliseconds */
  stepMs: number;
  plan: { dispatches: number; bytesPerStep: number; peakBytes: number };
  adapter: string;
  /** how the plans were cut */
  tuning: Tuning;
}
