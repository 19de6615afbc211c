import { UserError } from '../errors';
import { parameterCount } from '../model/model';
import { publishersOf } from '../model/recognise/dialects';
import { refconvs } from '../model/refconv';
import { architectureNames, createModel } from '../model/zoo';
import { planTraining } from '../train/programs';
import { stepGraph } from '../train/run-programs';
import type { TrainSettings } from '../train/settings';
import { trainedModel } from '../train/trained-model';
import { leastBytes } from './least-bytes';
import { leastMemory } from './least-memory';
import { type PlanOptions, stepOptions } from './plan-summary';

/** A network of the zoo with its default arguments, and what a step of its training with RefConv costs. */
export interface NetworkFigures {
  /** the architecture's name */
  arch: string;
  /** whose state-dict names are read, the zoo's own first */
  publishers: string[];
  /** side of the square images in pixels */
  size: number;
  /** numbers in its parameters, without maps */
  parameters: number;
  /** of the convolutions and linear layers, for one image */
  multiplyAdds: number;
  /** convolutions that become RefConvs by default */
  refconvs: number;
  /** of a training step */
  dispatches: number;
  /** bytes that a step moves, and the least that it could (docs/performance.md) */
  bytes: number;
  minBytes: number;
  /** what of the step's dispatches and bytes fine-tuning would not have */
  refconvDispatches: number;
  refconvBytes: number;
  /** memory of a training step in bytes, the images apart, and the least that computes nothing twice */
  peakBytes: number;
  minPeakBytes: number;
}

export interface NetworkFiguresOptions {
  /** side of the images in pixels; default: 224, and 32 for networks for CIFAR */
  size?: number;
  /** default: 32 */
  batch?: TrainSettings['batch'];
}

const PHOTOGRAPH = 224;

/**
 * Figures of every network of the zoo, in its order; needs no GPU.
 * @throws UserError that names the network, where it cannot train on images of that size or so few of them
 */
export const networkFigures = (options: NetworkFiguresOptions = {}): NetworkFigures[] =>
  architectureNames().map((arch) => {
    try {
      return figuresOf(arch, options);
    } catch (error) {
      throw error instanceof UserError ? new UserError(`${arch}: ${error.message}`) : error;
    }
  });

function figuresOf(arch: string, { size, batch = 32 }: NetworkFiguresOptions): NetworkFigures {
  // with the classes that it is published for
  const { head, input } = createModel(arch);
  const side = size ?? Math.min(input.size, PHOTOGRAPH);
  const network = { arch, classes: head.classes };
  const planned = (method: 'refocus' | 'finetune') => plannedStep({ network, batch, size: side, method });
  const step = planned('refocus');
  const { model, instance } = step;
  const { dispatches, bytes, peakBytes } = step.plan.totals;
  const tuned = planned('finetune').plan.totals;
  return {
    arch,
    publishers: publishersOf(arch),
    size: side,
    parameters: parameterCount(model),
    multiplyAdds: instance.multiplyAdds,
    refconvs: refconvs(model).length,
    dispatches,
    bytes,
    minBytes: leastBytes(step, 4),
    refconvDispatches: dispatches - tuned.dispatches,
    refconvBytes: bytes - tuned.bytes,
    peakBytes,
    minPeakBytes: leastMemory(step, 4),
  };
}

/** A training step alone, planned; `rows` images are its batch. */
function plannedStep(options: PlanOptions) {
  const { model, settings, height, width } = stepOptions(options);
  const images = { count: settings.batch, height, width };
  const step = stepGraph({ model: trainedModel(model, settings), settings, train: images, test: images });
  return { ...step, plan: planTraining(step, settings, {}) };
}

/** The figures as rows of text, the head first. */
export function networkRows(figures: readonly NetworkFigures[]): string[][] {
  const head = [
    'network',
    'names of',
    'px',
    'parameters',
    'multiply-adds',
    'RefConvs',
    'dispatches',
    'moved',
    'least',
    "RefConv's",
    'memory',
    'least memory',
  ];
  const rows = figures.map((f) => [
    f.arch,
    f.publishers.join(', '),
    String(f.size),
    short(f.parameters),
    short(f.multiplyAdds),
    String(f.refconvs),
    String(f.dispatches),
    `${short(f.bytes)}B`,
    `${short(f.minBytes)}B`,
    `${f.refconvDispatches}, ${((100 * f.refconvBytes) / f.bytes).toFixed(1)} %`,
    `${short(f.peakBytes)}B`,
    `${short(f.minPeakBytes)}B`,
  ]);
  return [head, ...rows];
}

/** Three digits: `3.50 M`, `301 M`, `4.09 G`. */
function short(n: number): string {
  const [unit, name] = n >= 999.5e6 ? [1e9, 'G'] : [1e6, 'M'];
  const digits = (n / unit).toPrecision(3);
  return `${digits.includes('e') ? Number(digits) : digits} ${name}`;
}
