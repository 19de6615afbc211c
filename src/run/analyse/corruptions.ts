import { type CorruptionName, corrupted, corruptions } from '../../data/corruptions';
import type { ImagesInMemory } from '../../data/types';
import { evaluateNetwork } from '../../train/evaluate';
import type { AnalysisContext } from './context';
import type { CorruptionsResult } from './result';

export const corruptionNames = Object.keys(corruptions) as CorruptionName[];

/** Accuracy of each network on the images as they are, and corrupted in three ways at five strengths: the same bytes for all. */
export async function analyseCorruptions(context: AnalysisContext): Promise<CorruptionsResult> {
  const { images, numbers } = context;
  const clean = await accuracies(images, context);
  const kinds: CorruptionsResult['kinds'] = [];
  for (const name of corruptionNames) {
    const { unit, strengths } = corruptions[name];
    const columns: number[][] = [];
    for (const level of strengths.keys())
      columns.push(await accuracies(corrupted(images, name, level, numbers.analysisSeed), context));
    const accuracy = clean.map((_, network) => columns.map((column) => column[network]));
    kinds.push({ name, unit, strengths, accuracy });
  }
  return { clean, kinds };
}

async function accuracies(
  images: ImagesInMemory,
  { gpu, subjects, normalisation, goOn }: AnalysisContext,
): Promise<number[]> {
  const found: number[] = [];
  for (const { model, state } of subjects) {
    goOn(images.count);
    const options = { ...normalisation, goOn: () => goOn(0) };
    found.push((await evaluateNetwork(gpu, model, state, images, options)).figures.accuracy);
  }
  return found;
}
