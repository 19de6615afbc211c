/** What a run measures of its steps and epochs. Types only. */

/** What a task measures of a batch or of a set of images. */
export interface Figures {
  /** the mean over the images */
  loss: number;
  /** of classification; of segmentation mIoU, of detection average precision (of a training batch cells told rightly): see `Task` */
  accuracy: number;
}

/** One point of the curves. */
export interface StepPoint extends Figures {
  step: number;
  epoch: number;
  lr: number;
}

/** An evaluation on the test images. */
export interface EvalPoint extends Figures {
  step: number;
  epoch: number;
}
