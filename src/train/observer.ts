/** A run from outside: what is told of it, and how it is held. */
import type { TrainingState } from './checkpoint';
import type { LiveObserver } from './live-look';
import type { EvalPoint, StepPoint } from './metrics';

/** Set from outside while a run goes on; looked at after every step. */
export interface Control {
  cancelled: boolean;
  /** with `cancelled`: what was trained is not kept */
  discarded?: boolean;
  /** pending while the run is paused */
  paused?: Promise<void>;
  /** whether somebody looks at the kernels while the run goes on */
  watched?: boolean;
}

/** How fast steps are taken. */
export interface Pace {
  imagesPerSecond: number;
  /** seconds to the last step */
  etaSeconds: number;
  /** milliseconds of each of the steps that are told: the mean over them */
  stepMs: number;
}

export interface Observer {
  steps(points: StepPoint[], pace: Pace): void;
  evaluated(point: EvalPoint): void;
  warning(message: string): void;
  /** what takes a while, in a sentence */
  note?(message: string): void;
  /** waits for a step whose kernels may still be compiled; what it throws ends the run */
  compiling?(step: Promise<void>): Promise<void>;
  /** called now and then between two steps, after `step` of them; may read persistent tensors, and changes none */
  between?(step: number, read: (...tensors: string[]) => Promise<Float32Array<ArrayBuffer>[]>): Promise<void>;
  /** what a run can go on from; absent: none is made */
  checkpoint?(state: TrainingState): Promise<void> | void;
  /** absent: nothing is predicted on the way */
  live?: LiveObserver;
}

/** How a run came to its end; `early`: no better for as many epochs as it was to wait, `failed`: its device was lost. */
export type Ended = 'finished' | 'stopped' | 'early' | 'diverged' | 'failed';
