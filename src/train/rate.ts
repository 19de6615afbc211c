import type { RunSettings, TrainSettings } from './settings';

/** The highest rate of a run whose steps take so many images, or more. */
const RATE = 0.003;
const FULL_BATCH = 64;

/**
 * The highest learning rate of a run. `auto`: steps of few images have noisy gradients and are many, and go less far in
 * proportion (the linear rule of arXiv 1706.02677, downwards alone).
 * @param images that a step takes
 */
export function decideRate(asked: TrainSettings['lr'], images: number): number {
  if (asked !== 'auto') return asked;
  // two digits, so that what is said is what is taken
  return Number((RATE * Math.min(1, images / FULL_BATCH)).toPrecision(2));
}

/** One sentence on a learning rate that was nobody's choice; nothing where it was. */
export function rateSentence({ lr: asked }: Pick<TrainSettings, 'lr'>, { lr }: Pick<RunSettings, 'lr'>) {
  if (asked !== 'auto') return undefined;
  const why = lr < RATE ? `, ${RATE} in proportion to steps of fewer than ${FULL_BATCH} images` : '';
  return `Learning rate ${lr}${why} (--lr sets another, refocus lr looks for one).`;
}
