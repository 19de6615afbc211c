import { attacked } from '../../analysis/attack';
import { cropOf, croppedImages, imageBytes, ofChannels } from '../../data/pixels';
import type { ImagesInMemory } from '../../data/types';
import type { ModelInput } from '../../model/model';
import type { Normalisation } from '../../train/evaluate';
import { evaluationRows } from '../../train/held';
import { InputGradient } from '../../train/input-gradient';
import { type AnalysisContext, type Subject, WITH_GRADIENT } from './context';
import { EPSILONS } from './options';
import type { AttacksResult } from './result';

/** What the steps of PGD add up to, of epsilon: they reach its bound from anywhere within it, as Madry et al. have it. */
const REACH = 2.5;

/**
 * Accuracy of each network on images that are changed to its harm: by one step along the sign of the loss's gradient (FGSM), and by
 * several smaller ones from the image itself (PGD). Each network is attacked by its own gradient.
 */
export async function analyseAttacks(context: AnalysisContext): Promise<AttacksResult> {
  const networks: AttacksResult['networks'] = [];
  for (const subject of context.subjects) networks.push(await attack(subject, context));
  return { epsilons: EPSILONS, steps: context.numbers.attackSteps, networks };
}

type Accuracies = AttacksResult['networks'][number];

async function attack({ model, state }: Subject, context: AnalysisContext): Promise<Accuracies> {
  const { images, numbers, normalisation, goOn, gpu } = context;
  const { height, width } = cropOf(images);
  const batch = evaluationRows(images);
  const passes = await InputGradient.create(gpu, model, state, { batch, height, width });
  const right = { fgsm: EPSILONS.map(() => 0), pgd: EPSILONS.map(() => 0) };
  try {
    for (let first = 0; first < images.count; first += batch) {
      const rows = Math.min(batch, images.count - first);
      const clean = valuesOf(images, model.input, first, rows);
      const labels = images.labels.subarray(first, first + rows);
      const at = (values: Float32Array) => {
        goOn(WITH_GRADIENT * rows);
        return passes.of(normalised(values, model.input, normalisation, height * width), labels);
      };
      const start = await at(clean);
      const gradient = async (values: Float32Array | null) =>
        values ? (await at(values)).gradient : start.gradient;
      const rightAfter = async (epsilon: number, step: number, steps: number) => {
        if (epsilon === 0) return countRight(start.logits, labels);
        const changed = await attacked(clean, gradient, { epsilon, step, steps });
        return countRight((await at(changed)).logits, labels);
      };
      for (const [i, epsilon] of EPSILONS.entries()) {
        right.fgsm[i] += await rightAfter(epsilon, epsilon, 1);
        right.pgd[i] += await rightAfter(
          epsilon,
          (REACH * epsilon) / numbers.attackSteps,
          numbers.attackSteps,
        );
      }
    }
  } finally {
    passes.destroy();
  }
  const shares = (counts: number[]) => counts.map((count) => count / images.count);
  return { fgsm: shares(right.fgsm), pgd: shares(right.pgd) };
}

/** Images as a network sees them before they are normalised: values from 0 to 1, `[n, channels, height, width]`. */
export function valuesOf(
  images: ImagesInMemory,
  { channels }: Pick<ModelInput, 'channels'>,
  first: number,
  rows: number,
): Float32Array {
  const bytes = imageBytes(images);
  const rgb = croppedImages(images, images.pixels.subarray(first * bytes, (first + rows) * bytes));
  const area = rgb.length / (3 * rows);
  const values = new Float32Array(rows * channels * area);
  for (let n = 0; n < rows; n++)
    for (let p = 0; p < area; p++) {
      const at = (n * area + p) * 3;
      if (channels === 1) values[n * area + p] = grayOf(rgb[at], rgb[at + 1], rgb[at + 2]) / 255;
      else for (let c = 0; c < 3; c++) values[(n * 3 + c) * area + p] = rgb[at + c] / 255;
    }
  return values;
}

/** Pillow's gray of bytes (mode L), as the engine makes it. */
const grayOf = (r: number, g: number, b: number): number => (19595 * r + 38470 * g + 7471 * b + 32768) >> 16;

/** @param area pixels of an image */
export function normalised(
  values: Float32Array,
  { channels }: Pick<ModelInput, 'channels'>,
  { mean, std }: Normalisation,
  area: number,
): Float32Array {
  const [means, deviations] = [ofChannels(mean, channels), ofChannels(std, channels)];
  return values.map((value, i) => {
    const channel = Math.floor(i / area) % channels;
    return (value - means[channel]) / deviations[channel];
  });
}

function countRight(logits: Float32Array, labels: ArrayLike<number>): number {
  const classes = logits.length / labels.length;
  let right = 0;
  for (let n = 0; n < labels.length; n++) {
    const row = logits.subarray(n * classes, (n + 1) * classes);
    if (row.indexOf(row.reduce((a, b) => Math.max(a, b))) === labels[n]) right++;
  }
  return right;
}
