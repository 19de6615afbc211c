/** A training job: what it is given, what it tells on the way and what it comes to. Types only. */
import type { LayerRedundancy } from '../analysis/redundancy';
import type { ImageSetReport } from '../data/report';
import type { Gpu } from '../gpu/device';
import type { EvalPoint, StepPoint } from '../train/metrics';
import type { Control, Pace } from '../train/observer';
import type { TrainSettings } from '../train/settings';
import type { CheckpointEvent } from './checkpoint-file';
import type { DataSource } from './data-source';
import type { GramSpectrum } from './gram-spectrum';
import type { KeptImages } from './kept-images';
import type { LiveEvent } from './live';
import type { ModelSource } from './loaded-network';
import type { Memo } from './memo';
import type { Report, TestPredictions } from './report';
import type { Resume } from './resume';
import type { TunedStep } from './tune';
import type { Tunings } from './tunings';

export interface TrainJob {
  model: ModelSource;
  train: DataSource;
  /** absent: the training source has a part for it, or some of each class is held out */
  test?: DataSource;
  settings: TrainSettings;
  /** what earlier runs found with `autotune`; a run that finds something new says so by the event `tuned` */
  tunings?: Tunings;
  /** test images of which is told, every few seconds, what the network says of them; default: none */
  live?: number;
  /** jobs of one name, one after the other, share the images that they read from the same files with the same settings */
  share?: string;
  /** what the run goes on from; its model, images and settings are then those that it was begun with */
  resume?: Resume;
}

/** How far an analysis has come: what it is at, and the share of its work that is done. */
export interface AnalysisEvent {
  type: 'phase';
  phase: 'analyse';
  message: string;
  share: number;
}

/** How far a test of images has come: what it is at, and the share of that which is done. */
export interface TestEvent {
  type: 'phase';
  phase: 'test';
  message: string;
  share: number;
}

export type TrainEvent =
  | {
      type: 'phase';
      phase: 'load' | 'tune' | 'compile' | 'baseline' | 'train' | 'merge' | 'prove';
      message: string;
    }
  | AnalysisEvent
  /** what was recognised or chosen, in a sentence */
  | { type: 'note'; message: string }
  | { type: 'warning'; message: string }
  /** what was found in each source of files */
  | { type: 'data'; reports: ImageSetReport[] }
  | { type: 'tuned'; key: string; timed: TunedStep[] }
  | {
      type: 'plan';
      dispatches: number;
      bytesPerStep: number;
      flopsPerStep: number;
      peakBytes: number;
      steps: number;
      images: number;
      testImages: number;
      classes: string[];
    }
  | ({ type: 'steps'; points: StepPoint[] } & Pace)
  /**
   * The run goes on from a checkpoint, of an earlier process or after the loss of the device: the points of all its steps and
   * epochs so far, milliseconds of each step, and the checkpoint's name; without one it begins again. Whatever was told of later
   * steps is void.
   */
  | {
      type: 'resumed';
      file?: string;
      step: number;
      points: StepPoint[];
      evals: EvalPoint[];
      stepTimes: number[];
    }
  | LiveEvent
  | CheckpointEvent
  | { type: 'eval'; which: 'base' | 'epoch' | 'last' | 'best'; point: EvalPoint }
  /** of each spatial convolution; `now`: after that step, while somebody watches */
  | {
      type: 'redundancy';
      when: 'before';
      layers: LayerRedundancy[];
      /** what the run's maps can change, by layer */
      grams: ReadonlyMap<string, GramSpectrum>;
    }
  | { type: 'redundancy'; when: 'after'; layers: LayerRedundancy[] }
  | { type: 'redundancy'; when: 'now'; step: number; layers: LayerRedundancy[] };

/** A file of a run's results. */
export interface OutputFile {
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
}

export interface TrainResult {
  report: Report;
  /** the merged network after the last step, safetensors, same keys and shapes as the input */
  merged: Uint8Array<ArrayBuffer>;
  /** the merged network of the epoch with the best test accuracy; the network as it was loaded where none is better */
  best: Uint8Array<ArrayBuffer>;
  /** what belongs beside them: the classes, a check for PyTorch, other formats that were asked for */
  files: OutputFile[];
  predictions: TestPredictions;
  metrics: StepPoint[];
  evals: EvalPoint[];
}

export interface RunContext {
  /** the device; a new one once the last is lost */
  gpu: () => Promise<Gpu>;
  /** what runs on the built-in network and images have in common */
  memo: Memo;
  /** decoded images that jobs share */
  kept?: KeptImages;
  control: Control;
  emit: (event: TrainEvent) => void;
}
