import { printPlan } from '../graph/print';
import { product } from '../graph/tensor';
import type { Tuning } from '../graph/tuning';
import { type Model, parameterCount } from '../model/model';
import { createModel } from '../model/zoo';
import { decideSettings } from '../train/decide';
import type { Program } from '../train/programs';
import { buildPrograms } from '../train/run-programs';
import { defaultSettings, type Method, type RunSettings, type TrainSettings } from '../train/settings';
import { forTask } from '../train/task';
import { trainedModel } from '../train/trained-model';
import { type Forecast, forecast } from './forecast';
import { leastBytes } from './least-bytes';
import { leastMemory } from './least-memory';
import type { NamedNetwork } from './network-options';

export interface PlanOptions {
  /** an architecture, or the model of a file */
  network: NamedNetwork | Model;
  batch: TrainSettings['batch'];
  /** side of the square input, pixels */
  size: number;
  method: Method;
  /** default: f32 */
  storage?: TrainSettings['storage'];
  /** megabytes that the step may take, its images apart; default: no limit */
  memory?: TrainSettings['memory'];
  /** whether fresh batch norms are trained; default: they are not */
  norms?: TrainSettings['norms'];
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
    /** the least that computes nothing twice (docs/performance.md) */
    minPeakBytes: number;
    parameters: number;
    trainable: number;
  };
}

/** A training step: its plain model, the settings of its run and the size of its images in pixels. */
export interface StepOptions {
  /** without RefConvs */
  model: Model;
  settings: RunSettings;
  height: number;
  width: number;
}

/** The model of a network without numbers; ten classes where the options leave them open. */
export function modelOf(network: NamedNetwork | Model): Model {
  if ('layers' in network) return network;
  const { arch, classes = 10, ...rest } = network;
  return createModel(arch, { ...rest, classes });
}

/** Of a set that no default is smaller for. */
export const MANY_IMAGES = 2 ** 20;

/** The step of a run with the default settings. */
export function stepOptions(options: PlanOptions): StepOptions {
  const { network, batch, size, method, storage = 'f32', norms = false, memory = 0 } = options;
  const model = modelOf(network);
  const asked = { ...defaultSettings(), method, batch, storage, norms, memory };
  const settings = decideSettings(forTask(asked, model), {
    input: model.input,
    images: MANY_IMAGES,
    side: size,
  });
  return { model, settings, height: size, width: size };
}

/** A training step, its data set one batch; without a tuning cut for a GPU. */
export function stepProgram({ model, settings, height, width }: StepOptions, tuning?: Tuning): Program {
  const images = { count: settings.batch, height, width };
  const trained = trainedModel(model, settings);
  return buildPrograms({ model: trained, train: images, test: images, settings, tuning }).program;
}

/** What a step takes of memory, and its maps beside fine-tuning; the data set is one batch. */
export function stepForecast(options: PlanOptions): Forecast {
  const { model, settings, height, width } = stepOptions(options);
  const images = { count: settings.batch, height, width };
  return forecast({ model, settings, train: images, test: images });
}

/** Plans a training step without a GPU, the data set apart. */
export function planSummary(options: PlanOptions): PlanSummary {
  const step = stepOptions(options);
  const kept = step.settings.storage === 'f16' ? 2 : 4;
  const program = stepProgram(step);
  const { dispatches, bytes, flops, peakBytes } = program.plan.totals;
  const trainable = program.graph.tensors.filter((t) => t.role === 'parameter');
  return {
    text: printPlan(program.plan),
    totals: {
      dispatches,
      bytesPerStep: bytes,
      minBytesPerStep: leastBytes(program, kept),
      flopsPerStep: flops,
      peakBytes,
      minPeakBytes: leastMemory(program, kept),
      parameters: parameterCount(program.model),
      trainable: trainable.reduce((sum, t) => sum + product(t.shape), 0),
    },
  };
}
