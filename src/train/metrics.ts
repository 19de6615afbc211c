/** What a run measures of its steps and epochs. Types only. */

/** One point of the curves. */
export interface StepPoint {
  step: number;
  epoch: number;
  loss: number;
  accuracy: number;
  lr: number;
}

/** An evaluation on the test images. */
export interface EvalPoint {
  step: number;
  epoch: number;
  accuracy: number;
  loss: number;
}
