import { centredGram, FEWEST_IMAGES, MinibatchCka } from '../../analysis/cka';
import type { Model } from '../../model/model';
import { networkFeatures } from '../../train/features';
import type { AnalysisContext, Subject } from './context';
import type { SimilarityResult } from './result';

/** Images that HSIC is estimated on at a time. */
const BATCH = 64;
/** Side in pixels that features are averaged to: more of them would not fit, and tell little else. */
const SIDE = 4;
/** Layers that are compared at most, evenly spaced. */
const MOST_LAYERS = 24;

/** A value of a network, and what reads it first. */
interface Tap {
  value: number;
  reader: string;
}

/** What convolutions and the classifier read: behind norms, activations and sums, but for the image itself. */
export function tapsOf({ layers, head, features }: Model): Tap[] {
  const taps = new Map<number, string>();
  for (const layer of layers)
    if (layer.kind === 'conv' && layer.inputs[0] !== 0 && !taps.has(layer.inputs[0]))
      taps.set(layer.inputs[0], layer.name);
  if (!taps.has(features)) taps.set(features, head.name);
  const all = [...taps].map(([value, reader]) => ({ value, reader })).sort((a, b) => a.value - b.value);
  const count = Math.min(MOST_LAYERS, all.length);
  const place = (i: number) => (count === 1 ? 0 : Math.round((i * (all.length - 1)) / (count - 1)));
  return Array.from({ length: count }, (_, i) => all[place(i)]);
}

/** Linear CKA between the layers of the first network and those of each, itself first, on the same images. */
export async function analyseSimilarity(context: AnalysisContext): Promise<SimilarityResult> {
  const { subjects, images } = context;
  const taps = tapsOf(subjects[0].model);
  const batch = Math.min(BATCH, images.count);
  const first = await gramsOf(subjects[0], taps, batch, context);
  const matrices: number[][][] = [];
  for (const subject of subjects) {
    const grams = subject === subjects[0] ? first : await gramsOf(subject, taps, batch, context);
    const cka = new MinibatchCka([taps.length, taps.length]);
    for (const [i, { rows, layers }] of grams.entries()) cka.addGrams(first[i].layers, layers, rows);
    matrices.push(cka.matrix());
  }
  return { batch, side: SIDE, layers: taps.map(({ reader }) => reader), matrices };
}

/** The centred Gram matrices of a batch's images in each layer. */
interface BatchGrams {
  rows: number;
  layers: Float64Array[];
}

async function gramsOf(
  { model, state }: Subject,
  taps: readonly Tap[],
  batch: number,
  { gpu, images, normalisation, goOn }: AnalysisContext,
): Promise<BatchGrams[]> {
  const grams: BatchGrams[] = [];
  const values = taps.map(({ value }) => value);
  const options = { ...normalisation, batch, values, side: SIDE, goOn: () => goOn(batch) };
  for await (const { images: some, features } of networkFeatures(gpu, model, state, images, options)) {
    const rows = some.length;
    // of the few that are left over nothing can be estimated
    if (rows >= FEWEST_IMAGES)
      grams.push({ rows, layers: features.map((layer) => centredGram(layer, rows)) });
  }
  return grams;
}
