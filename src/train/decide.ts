/** What a run's settings leave open is decided by its network and images. Apart from their table, which a run's steps do not need. */
import { decideAugmentation } from './augmentation';
import { decideRate } from './rate';
import type { RunSettings, TrainSettings } from './settings';

/** What is decided by the network and the images. */
export interface DecidedBy {
  /** how the network's images are normalised */
  input: { mean: number[]; std: number[] };
  /** for training */
  images: number;
  /** the longer side of what the network sees of an image, pixels; default: that of CIFAR's images */
  side?: number;
  /** whether the last layer starts afresh, for other classes than the network had; default: it does not */
  newHead?: boolean;
}

/** Images of a batch at least, where there are so many: the gradient and the statistics of three say little. */
const LEAST_BATCH = 16;
/** An epoch takes so many images at least: of a dozen it would be over with one step. */
const LEAST_IMAGES = 128;

/** Settings with every `auto` decided. */
export function decideSettings(
  settings: TrainSettings,
  { input, images, side = 32, newHead = false }: DecidedBy,
): RunSettings {
  const { mean, std, headEpochs, interpolation, cropPct, cropMode, repeats } = settings;
  const auto = Math.min(128, images, Math.max(LEAST_BATCH, Math.floor(images / 4)));
  const batch = settings.batch === 'auto' ? auto : settings.batch;
  // of one gray its number stands for all colours
  const triple = ([r, g = r, b = r]: number[]): [number, number, number] => [r, g, b];
  return {
    ...settings,
    ...decideAugmentation(settings, { images, side }),
    batch,
    lr: decideRate(settings.lr, {
      images: Math.min(batch, images),
      isNew: newHead || settings.method === 'retrain',
    }),
    microBatch: settings.microBatch === 'auto' ? batch : settings.microBatch,
    repeats: repeats === 'auto' ? Math.ceil(LEAST_IMAGES / Math.min(images, LEAST_IMAGES)) : repeats,
    mean: mean === 'auto' ? triple(input.mean) : mean,
    std: std === 'auto' ? triple(input.std) : std,
    interpolation: interpolation === 'auto' ? 'bilinear' : interpolation,
    cropPct: cropPct === 'auto' ? 1 : cropPct,
    cropMode: cropMode === 'auto' ? 'center' : cropMode,
    headEpochs: headEpochs === 'auto' ? Number(newHead && headComesFirst(settings)) : headEpochs,
  };
}

/** Whether a new head has anything to wait for: a network around it that is trained already, and goes on training. */
const headComesFirst = ({ method, freeze, epochs }: TrainSettings): boolean =>
  method !== 'retrain' && freeze !== 'backbone' && epochs > 1;
