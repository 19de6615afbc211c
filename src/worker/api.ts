/** What the page and the command line say to the engine's worker, and what it answers. Types only. */
import type { LayerRedundancy } from '../analysis/redundancy';
import type { TrainSettings } from '../train/config';
import type { NetworkOptions } from '../train/network-options';

export type { LayerRedundancy } from '../analysis/redundancy';
export type { Method, TrainSettings } from '../train/config';
export type { NetworkOptions } from '../train/network-options';

import type { UserFile } from '../data/types';

export type { UserFile };

/**
 * A labelled image set. `files`: one .zip, a folder's files, CIFAR-10 binary batches or an IDX pair.
 * `builtin`: the procedural set, generated from its fixed seed.
 */
export type DataSource = { kind: 'builtin'; split: 'train' | 'test' } | { kind: 'files'; files: UserFile[] };

/** A trained network: the built-in default, or an architecture and a checkpoint (safetensors, .pt, .pth, .th). */
export type ModelSource = { kind: 'builtin' } | { kind: 'file'; arch: NetworkOptions; file: UserFile };

export interface TrainJob {
  model: ModelSource;
  train: DataSource;
  /** absent: a tenth of the training images is held out */
  test?: DataSource;
  settings: TrainSettings;
}

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

export type TrainEvent =
  | {
      type: 'phase';
      phase: 'load' | 'compile' | 'baseline' | 'train' | 'evaluate' | 'merge' | 'prove';
      message: string;
    }
  | { type: 'warning'; message: string }
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
  | { type: 'steps'; points: StepPoint[]; imagesPerSecond: number; etaSeconds: number }
  | { type: 'eval'; which: 'base' | 'epoch' | 'last' | 'best'; point: EvalPoint }
  | { type: 'redundancy'; when: 'before' | 'after'; layers: LayerRedundancy[] };

export interface MergeProof {
  maxAbsLogitDiff: number;
  maxRelLogitDiff: number;
  top1Agreement: number;
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
}

export interface TrainResult {
  report: Report;
  /** the merged network, safetensors, same keys and shapes as the input */
  merged: Uint8Array<ArrayBuffer>;
  metrics: StepPoint[];
  evals: EvalPoint[];
  cancelled: boolean;
}

export interface VerifyLine {
  case: string;
  op: string;
  ok: boolean;
  error: number;
  tolerance: number;
  /** why it failed, where it did */
  message?: string;
}

export interface InspectLayer {
  name: string;
  kind: string;
  shape: number[];
  parameters: number;
  /** mean KL divergence between kernels (spatial convolutions only) */
  redundancy?: number;
}

/** The worker's face. One job at a time; errors that the user can mend are `UserError`s (name kept across Comlink). */
export interface EngineApi {
  /** adapter's name, or a UserError that says which part of WebGPU is missing */
  adapter(): Promise<string>;
  train(job: TrainJob, onEvent: (event: TrainEvent) => void): Promise<TrainResult>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** stops after the running step; `train` then resolves with what it has, merged and proven */
  cancel(): Promise<void>;
  evaluate(
    model: ModelSource,
    test: DataSource,
    options: { batch?: number; mean?: number[]; std?: number[]; limit?: number; imageSize?: number },
  ): Promise<{ accuracy: number; images: number }>;
  verify(name: string, golden: Uint8Array): Promise<VerifyLine>;
  inspect(file: UserFile, arch?: NetworkOptions): Promise<InspectLayer[]>;
}
