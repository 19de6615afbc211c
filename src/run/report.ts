/** What a run reports: the points of its curves, the proof of its merge, its figures. Types only. */
import type { Tuning } from '../graph/tuning';

/** One point of the curves. */
export interface StepPoint {
  step: number;
  epoch: number;
  loss: number;
  accuracy: number;
  lr: number;
}

export interface EvalPoint {
  step: number;
  epoch: number;
  accuracy: number;
  loss: number;
}

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
