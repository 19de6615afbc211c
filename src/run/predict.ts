import { type Decoder, openDecoder } from '../data/decode/pool';
import type { Preparation } from '../data/decode/prepare';
import { ImageError } from '../data/images/format';
import { aroundCrop } from '../data/images/resize';
import { inOrder } from '../data/in-order';
import type { LabelledImages, Resizing, UserFile } from '../data/types';
import { UserError } from '../errors';
import type { Gpu } from '../gpu/device';
import { parseField, whole } from '../train/field';
import { parseSettings } from '../train/settings';
import { checkAnswers } from './check-classifier';
import type { TestEvent } from './job';
import type { LoadedNetwork, ModelSource } from './loaded-network';
import { isAnswer, logitsOf, NOT_FINITE } from './logits';
import { loadNetwork } from './network-source';

export interface PredictOptions {
  /** likeliest classes of each image; default 5 */
  top?: number;
  /** side in pixels that images are resized and cut to; default: that of the images that the network was trained on */
  imageSize?: number;
  /** whether images are turned as their EXIF data asks; default `ignore` */
  exif?: 'ignore' | 'apply';
  /** default: as the network was trained, else bilinear */
  interpolation?: 'bilinear' | 'bicubic';
  /** side of the middle that is cut out, as a share of the resized image's shorter side; default: the network's own, else 1 */
  cropPct?: number;
  /** what is kept of an image that is no square; default: the network's own, else its middle */
  cropMode?: Resizing['cropMode'];
  mean?: number[];
  std?: number[];
  /** images at a time on the GPU */
  batch?: number;
}

/** What a network makes of an image: its likeliest classes, or why the file cannot be read. */
export type Prediction =
  | { image: string; top: { class: string; probability: number }[] }
  | { image: string; error: string };

export interface Predictions {
  /** one an image, in the order of the images */
  predictions: Prediction[];
  /** what to tell of how the network was read, a sentence each */
  notes: string[];
}

/** Images that are decoded before the network sees them: a folder of photographs does not fit the memory at once. */
const AT_A_TIME = 256;
/** So many images are read before it is said. */
const TOLD = 32;
/** More classes are none that somebody reads. */
const MAX_TOP = 100_000;
/** Larger sides are no network's. */
const MAX_SIDE = 1024;

/**
 * Predicts the classes of images, each decoded, resized and cut as for training. A class without a name is called by its
 * number. Images that cannot be read are named with the reason, the others go on.
 * @param emit hears how far it has come
 * @throws UserError where the network cannot be read or has no classifier, or an option is out of range
 */
export async function predict(
  gpu: () => Promise<Gpu>,
  source: ModelSource,
  files: readonly UserFile[],
  { top = 5, imageSize = 0, exif = 'ignore', mean, std, batch = 32, ...options }: PredictOptions = {},
  emit: (event: TestEvent) => void = () => {},
): Promise<Predictions> {
  parseSettings({ imageSize, exif, mean, std, batch, ...options });
  const network = await loadNetwork(source);
  checkAnswers(network);
  const { model } = network;
  parseField(whole(1, MAX_TOP), top, 'top');
  const side = imageSize || network.trainedSize || model.input.size;
  if (!Number.isInteger(side) || side < 1 || side > MAX_SIDE)
    throw new UserError(`The image size ${side} is not possible; use 1 to ${MAX_SIDE} pixels.`);
  const {
    interpolation = network.interpolation,
    cropPct = network.cropPct,
    cropMode = network.cropMode,
  } = options;
  const size = { width: side, height: side };
  const reading = { size, upright: exif === 'apply', interpolation, cropPct, cropMode };
  const resized = aroundCrop(size, { cropPct }).whole.width;
  const cut = resized > side ? `, the middle of what is resized to ${resized}` : '';
  const notes = [
    ...network.notes,
    `The network sees images of ${side} x ${side} pixels${cut} (image size, --image-size; crop, --crop-pct).`,
  ];
  const predictions: Prediction[] = [];
  const tell = (doing: string, done: number) => {
    const message = `${doing}: ${done} of ${files.length}`;
    emit({ type: 'phase', phase: 'test', message, share: done / files.length });
  };
  const decoder = await openDecoder(files.length);
  try {
    for (let first = 0; first < files.length; first += AT_A_TIME) {
      const some = files.slice(first, first + AT_A_TIME);
      const read = await readAll(some, decoder, reading, (done) => tell('Reading images', first + done));
      const decoded = read.filter((image) => image instanceof Uint8Array);
      const rows =
        decoded.length === 0
          ? []
          : await logitsOf(await gpu(), network, setOf(decoded, side), {
              mean: mean ?? model.input.mean,
              std: std ?? model.input.std,
              batch,
              goOn: (done) => tell('Predicting', first + done),
            });
      for (const [i, image] of read.entries()) {
        const about = { image: some[i].path };
        if (image instanceof ImageError) predictions.push({ ...about, error: image.message });
        else {
          const row = rows.shift()!;
          if (isAnswer(row)) predictions.push({ ...about, top: likeliest(row, top, network) });
          else predictions.push({ ...about, error: `the network answers with ${NOT_FINITE}` });
        }
      }
    }
  } finally {
    decoder.close();
  }
  return { predictions, notes };
}

/** The pixels of each image, or why it cannot be read. */
async function readAll(
  files: readonly UserFile[],
  decoder: Decoder,
  preparation: Preparation,
  tell: (done: number) => void,
): Promise<(Uint8Array | ImageError)[]> {
  const read = async ({ blob }: UserFile) => {
    const bytes = await blob.arrayBuffer().catch((error: Error) => {
      throw new ImageError(`the file cannot be read (${error.message})`);
    });
    return (await decoder.prepare(new Uint8Array(bytes), preparation)).pixels;
  };
  const orNot = (file: UserFile) =>
    read(file).catch((error: Error) => {
      if (error instanceof ImageError) return error;
      throw error;
    });
  const all: (Uint8Array | ImageError)[] = [];
  for await (const image of inOrder(files, decoder.atOnce, orNot)) {
    all.push(image);
    if (all.length % TOLD === 0) tell(all.length);
  }
  return all;
}

/** Images without classes, for a network to look at. */
function setOf(decoded: readonly Uint8Array[], side: number): LabelledImages {
  const size = side * side * 3;
  const pixels = new Uint8Array(decoded.length * size);
  decoded.forEach((image, i) => {
    pixels.set(image, i * size);
  });
  const count = decoded.length;
  return { pixels, labels: new Uint16Array(count), count, height: side, width: side, classes: [] };
}

/** The classes of the largest logits with their softmax; of equals the first. */
export function likeliest(
  logits: ArrayLike<number>,
  top: number,
  { classes }: Pick<LoadedNetwork, 'classes'>,
): { class: string; probability: number }[] {
  const values = Array.from(logits);
  const largest = Math.max(...values);
  const powers = values.map((value) => Math.exp(value - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers
    .map((power, i) => ({ class: classes?.[i] ?? String(i), probability: power / sum }))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, top);
}
