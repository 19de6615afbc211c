import { printPlan } from '../graph/print';
import { product } from '../graph/tensor';
import type { Tuning } from '../graph/tuning';
import { describe } from '../model/describe';
import type { Architecture, Net } from '../model/net';
import { architecture } from '../model/zoo';
import type { Program } from '../train/programs';
import { refconvOptions } from '../train/refconv-options';
import { defaultSettings, type Method, type TrainSettings } from '../train/settings';
import { buildPrograms } from '../train/trainer';
import type { NetworkOptions } from './network-options';

export interface PlanOptions {
  network: NetworkOptions;
  batch: number;
  /** side of the square input, pixels */
  size: number;
  method: Method;
  /** default: f32 */
  storage?: TrainSettings['storage'];
}

export interface PlanSummary {
  /** the printed plan */
  text: string;
  totals: {
    dispatches: number;
    bytesPerStep: number;
    minBytesPerStep: number;
    flopsPerStep: number;
    peakBytes: number;
    parameters: number;
    trainable: number;
  };
}

/** A training step: its network, the settings of its run and the size of its images in pixels. */
export interface StepOptions {
  network: NetworkOptions;
  settings: TrainSettings;
  height: number;
  width: number;
}

/** The step of a run with the default settings. */
export const stepOptions = ({ network, batch, size, method, storage = 'f32' }: PlanOptions): StepOptions => ({
  network,
  settings: { ...defaultSettings(), method, batch, storage },
  height: size,
  width: size,
});

/** A training step, its data set one batch; without a tuning cut for a GPU. */
export function stepProgram({ network, settings, height, width }: StepOptions, tuning?: Tuning): Program {
  const model = modelOf(network);
  const refconv = refconvOptions(model, network.arch, [height, width], settings);
  const images = { count: settings.batch, height, width };
  const training = { architecture: model, train: images, test: images, settings, refconv, tuning };
  return buildPrograms(training).program;
}

const modelOf = ({ arch, classes = 10, ...rest }: NetworkOptions): Architecture =>
  architecture(arch, { ...rest, classes });

/** Plans a training step without a GPU, the data set apart. */
export function planSummary(options: PlanOptions): PlanSummary {
  const { network, batch, size, storage } = options;
  const program = stepProgram(stepOptions(options));
  const { dispatches, bytes, flops, peakBytes } = program.plan.totals;
  const trainable = program.net.graph.tensors.filter((t) => t.role === 'parameter');
  return {
    text: printPlan(program.plan),
    totals: {
      dispatches,
      bytesPerStep: bytes,
      minBytesPerStep: leastBytes(program.net, batch, storage === 'f16' ? 2 : 4),
      flopsPerStep: flops,
      peakBytes,
      parameters: describe(modelOf(network), [size, size]).parameterCount(),
      trainable: trainable.reduce((sum, t) => sum + product(t.shape), 0),
    },
  };
}

/**
 * The least traffic of a step with batch norm and activations fused into the convolutions (docs/performance.md): the
 * forward pass reads each convolution's input and writes its output; its gradient reads the upstream gradient, the
 * output and the input and writes the input's gradient; weights are read twice, their gradient written, the update
 * reads weight, gradient and momentum and writes two. What is no gradient and no weight takes `kept` bytes a number.
 */
function leastBytes({ convElements: { inputs, outputs }, graph }: Net, batch: number, kept: number): number {
  const activations = batch * (kept * (2 * inputs + 3 * outputs) + 4 * (inputs + 2 * outputs));
  const weights = graph.tensors
    .filter((t) => t.role === 'parameter')
    .reduce((sum, t) => sum + product(t.shape), 0);
  return activations + 4 * 8 * weights;
}
