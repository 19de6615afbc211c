/** The forecast of a run whose network and images have been looked into, on the device that is there. */
import { OverLimit } from '../errors';
import type { Gpu } from '../gpu/device';
import { withHead } from '../model/heads';
import type { Model } from '../model/model';
import { decideSettings } from '../train/decide';
import { mostHeld } from '../train/held';
import { readyForLimit } from '../train/programs';
import type { TrainSettings } from '../train/settings';
import { type Forecast, type ForecastOf, fittingRows, forecast } from './forecast';

export interface ForecastJob {
  /** without RefConvs */
  model: Model;
  /** of the images; default: the network's */
  classes?: number;
  /** whether the classifier starts afresh */
  newHead?: boolean;
  /** of each part, and the images' size in pixels where the settings name none */
  images: { train: number; test: number; width: number; height: number };
  settings: TrainSettings;
}

export interface DeviceForecast extends Forecast {
  /** absent where the device holds the run, and a step keeps within the limit of memory. Else the forecast is of what does */
  tooLarge?: {
    /** what is too large: the largest buffer that the run needs, or a step that is computed in parts twice */
    what: 'buffer' | 'step';
    /** of it, and what the device gives or the limit allows at most */
    bytes: number;
    most: number;
    /** images of a micro-batch that fits; absent: none does */
    rows?: number;
    /** whether activations may be kept as f16 instead */
    f16: boolean;
  };
}

/**
 * @param gpu absent: without a device nothing is too large
 * @throws UserError where the network cannot train so
 */
export async function forecastJob(
  { model: known, classes, newHead, images, settings: asked }: ForecastJob,
  gpu?: Gpu,
): Promise<DeviceForecast> {
  await readyForLimit(asked);
  const model = classes === undefined ? known : withHead(known, classes);
  const side = asked.imageSize;
  const { width, height } = side > 0 ? { width: side, height: side } : images;
  const limit = asked.limit || Number.POSITIVE_INFINITY;
  const set = (count: number) => ({ count: Math.min(count, limit), width, height });
  const train = set(images.train);
  const settings = decideSettings(asked, {
    input: model.input,
    images: train.count,
    side: Math.max(width, height),
    newHead,
  });
  const heldBytes = gpu && mostHeld(gpu);
  const of: ForecastOf = { model, settings, train, test: set(images.test), heldBytes, tuning: gpu?.tuning };
  const limits = gpu?.device.limits;
  const most = limits
    ? Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize)
    : Number.POSITIVE_INFINITY;
  const f16 = asked.storage === 'f32' && gpu?.device.features.has('shader-f16') === true;
  try {
    const found = forecast(of);
    const bytes = found.memory.largest;
    if (bytes <= most) return found;
    return { ...found, tooLarge: { what: 'buffer', bytes, most, rows: fittingRows(of, most), f16 } };
  } catch (error) {
    const rows = error instanceof OverLimit ? fittingRows(of, most) : undefined;
    if (!(error instanceof OverLimit) || rows === undefined) throw error;
    const found = forecast({ ...of, settings: { ...settings, microBatch: rows } });
    return { ...found, tooLarge: { what: 'step', bytes: error.least, most: error.limit, rows, f16 } };
  }
}
