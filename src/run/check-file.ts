import { evaluationOrder } from '../data/order';
import { cropOf, croppedImages, imageBytes, ofChannels, readImages } from '../data/pixels';
import type { LabelledImages } from '../data/types';
import type { Gpu } from '../gpu/device';
import { writeSafetensors } from '../io/safetensors';
import { floats, type StateDict } from '../io/tensor';
import type { Model } from '../model/model';
import { evaluateNetwork, type Normalisation } from '../train/evaluate';

/** Images that a check has. */
const CHECK_IMAGES = 8;

/**
 * check.safetensors: some test images as they were decoded, resized and cropped (`images`, u8 [n, h, w, 3]), as the network sees
 * them (`input`, [n, 3, h, w], or 1 where the network sees their gray) and what it answers (`logits`, [n, classes]).
 */
export async function checkFile(
  gpu: Gpu,
  { model, state }: { model: Model; state: StateDict },
  test: LabelledImages,
  { mean, std }: Normalisation,
): Promise<Uint8Array<ArrayBuffer>> {
  const count = Math.min(CHECK_IMAGES, test.count);
  // on all test images' layout: its pipelines are compiled already
  const { logits } = await evaluateNetwork(gpu, model, state, test, { mean, std, limit: count, keep: count });
  const { classes } = model.head;
  const { channels } = model.input;
  const stride = logits.length / count;
  const answers = Float32Array.from({ length: count * classes }, (_, i) => {
    const row = Math.floor(i / classes);
    return logits[row * stride + (i % classes)];
  });
  const { height, width } = cropOf(test);
  const stored = new Uint8Array(count * imageBytes(test));
  await readImages(test, evaluationOrder(test.count).subarray(0, count), stored);
  const pixels = croppedImages(test, stored);
  return writeSafetensors(
    new Map([
      ['images', { dtype: 'U8', shape: [count, height, width, 3], data: pixels }],
      ['input', floats([count, channels, height, width], inputOf(pixels, count, channels, { mean, std }))],
      ['logits', floats([count, classes], answers)],
    ]),
  );
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
