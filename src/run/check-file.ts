import { resize } from '../data/images/resize';
import { evaluationOrder } from '../data/order';
import { cropOf, croppedImages, imageBytes, ofChannels, readImages } from '../data/pixels';
import type { ImagesInMemory, LabelledImages } from '../data/types';
import type { Gpu } from '../gpu/device';
import { writeSafetensors } from '../io/safetensors';
import { floats, type StateDict } from '../io/tensor';
import type { Model, Pair } from '../model/model';
import { evaluateNetwork, type Normalisation } from '../train/evaluate';

/** Images that a check has. */
const CHECK_IMAGES = 8;

/**
 * check.safetensors: some test images as they were decoded, resized and cropped (`images`, u8 [n, h, w, 3]), as the network sees
 * them (`input`, [n, 3, h, w], or 1 where the network sees their gray) and what it answers (`logits`, [n, classes]).
 * @param sides height and width of the images that the network's file takes, 0 where it takes any: they are resized to them
 */
export async function checkFile(
  gpu: Gpu,
  { model, state }: { model: Model; state: StateDict },
  test: LabelledImages,
  { mean, std }: Normalisation,
  sides: Pair = [0, 0],
): Promise<Uint8Array<ArrayBuffer>> {
  const count = Math.min(CHECK_IMAGES, test.count);
  const seen = cropOf(test);
  const { height, width } = { height: sides[0] || seen.height, width: sides[1] || seen.width };
  const pixels = await firstImages(test, count, { height, width });
  const isResized = height !== seen.height || width !== seen.width;
  // else on all test images' layout: its pipelines are compiled already
  const images = isResized ? setOf(pixels, { count, height, width, classes: test.classes }) : test;
  const { logits } = await evaluateNetwork(gpu, model, state, images, {
    mean,
    std,
    limit: count,
    keep: count,
  });
  const { classes } = model.head;
  const { channels } = model.input;
  const stride = logits.length / count;
  const answers = Float32Array.from({ length: count * classes }, (_, i) => {
    const row = Math.floor(i / classes);
    return logits[row * stride + (i % classes)];
  });
  return writeSafetensors(
    new Map([
      ['images', { dtype: 'U8', shape: [count, height, width, 3], data: pixels }],
      ['input', floats([count, channels, height, width], inputOf(pixels, count, channels, { mean, std }))],
      ['logits', floats([count, classes], answers)],
    ]),
  );
}

/** The first images of an evaluation's order, as the network sees them, at that size. */
async function firstImages(
  test: LabelledImages,
  count: number,
  size: { height: number; width: number },
): Promise<Uint8Array<ArrayBuffer>> {
  const { height, width } = cropOf(test);
  const stored = new Uint8Array(count * imageBytes(test));
  await readImages(test, evaluationOrder(test.count).subarray(0, count), stored);
  const cropped = croppedImages(test, stored);
  if (height === size.height && width === size.width) return cropped;
  const out = new Uint8Array(count * imageBytes(size));
  for (let i = 0; i < count; i++) {
    const image = cropped.subarray(
      i * imageBytes({ height, width }),
      (i + 1) * imageBytes({ height, width }),
    );
    out.set(resize(image, { width, height }, size), i * imageBytes(size));
  }
  return out;
}

/** A set whose evaluation takes the images in the order in which they lie in `pixels`. */
function setOf(
  pixels: Uint8Array<ArrayBuffer>,
  about: Pick<LabelledImages, 'count' | 'height' | 'width' | 'classes'>,
): ImagesInMemory {
  const size = imageBytes(about);
  const placed = new Uint8Array(pixels.length);
  for (const [i, place] of evaluationOrder(about.count).entries())
    placed.set(pixels.subarray(i * size, (i + 1) * size), place * size);
  return { ...about, pixels: placed, labels: new Uint16Array(about.count) };
}

/** Bytes [n, h, w, 3] as torchvision's ToTensor and Normalize give them, [n, 3, h, w], or behind its Grayscale [n, 1, h, w]. */
function inputOf(pixels: Uint8Array, count: number, channels: 1 | 3, o: Normalisation): Float32Array {
  const [mean, std] = [o.mean, o.std].map((values) => ofChannels(values, channels));
  const plane = pixels.length / count / 3;
  return Float32Array.from({ length: count * channels * plane }, (_, i) => {
    const channel = Math.floor(i / plane) % channels;
    const image = Math.floor(i / plane / channels);
    const at = (image * plane + (i % plane)) * 3;
    const [r, g, b] = pixels.subarray(at, at + 3);
    const value = channels === 1 ? (19595 * r + 38470 * g + 7471 * b + 32768) >> 16 : pixels[at + channel];
    return (value / 255 - mean[channel]) / std[channel];
  });
}
