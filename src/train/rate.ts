/** The highest rate of a run whose steps take so many images, or more. */
const RATE = 0.003;
const FULL_BATCH = 64;

/**
 * The highest learning rate of a run. `auto`: steps of few images have noisy gradients and are many, and go less far in
 * proportion (the linear rule of arXiv 1706.02677, downwards alone). What is new has further to go, and takes the whole rate.
 * @param run images that a step takes, and whether the classifier or all of the network is new
 */
export function decideRate(asked: number | 'auto', run: { images: number; isNew: boolean }): number {
  if (asked !== 'auto') return asked;
  const share = run.isNew ? 1 : Math.min(1, run.images / FULL_BATCH);
  // two digits, so that what is said is what is taken
  return Number((RATE * share).toPrecision(2));
}

/** One sentence on a learning rate that was nobody's choice; nothing where it was. */
export function rateSentence(asked: number | 'auto', rate: number): string | undefined {
  if (asked !== 'auto') return undefined;
  const why = rate < RATE ? `, ${RATE} in proportion to steps of fewer than ${FULL_BATCH} images` : '';
  return `Learning rate ${rate}${why} (--lr sets another, refocus lr looks for one).`;
}
