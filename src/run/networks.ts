import { UserError } from '../errors';
import { parameterCount } from '../model/model';
import { publishersOf } from '../model/recognise/dialects';
import { refconvs } from '../model/refconv';
import { architectureNames, createModel } from '../model/zoo';
import type { TrainSettings } from '../train/settings';
import { stepOptions, stepProgram } from './plan-summary';

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
  /** memory of a training step in bytes, the images apart */
  peakBytes: number;
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
  const { model, instance, plan } = stepProgram(
    stepOptions({ network, batch, size: side, method: 'refocus' }),
  );
  return {
    arch,
    publishers: publishersOf(arch),
    size: side,
    parameters: parameterCount(model),
    multiplyAdds: instance.multiplyAdds,
    refconvs: refconvs(model).length,
    dispatches: plan.totals.dispatches,
    peakBytes: plan.totals.peakBytes,
  };
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
    'memory',
  ];
  const rows = figures.map((f) => [
    f.arch,
    f.publishers.join(', '),
    String(f.size),
    short(f.parameters),
    short(f.multiplyAdds),
    String(f.refconvs),
    String(f.dispatches),
    `${short(f.peakBytes)}B`,
  ]);
  return [head, ...rows];
}

/** Three digits: `3.50 M`, `301 M`, `4.09 G`. */
function short(n: number): string {
  const [unit, name] = n >= 999.5e6 ? [1e9, 'G'] : [1e6, 'M'];
  const digits = (n / unit).toPrecision(3);
  return `${digits.includes('e') ? Number(digits) : digits} ${name}`;
}
