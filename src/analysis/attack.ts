/** Adversarial images within a distance that a viewer hardly sees (Goodfellow et al. 2015; Madry et al. 2018). */

/** What an attack may do to a pixel, for values from 0 to 1. */
export interface AttackStep {
  /** the largest change of any value */
  epsilon: number;
  /** the change of one step */
  step: number;
}

/**
 * One step of an attack, in place: each value goes by `step` where the loss grows, stays within `epsilon` of the clean one and
 * within 0 and 1. FGSM is one step of epsilon; PGD takes several smaller ones.
 * @param images from 0 to 1, as they are now
 * @param gradient of the loss with respect to them, of any scale
 */
export function attackStep(
  images: Float32Array,
  gradient: ArrayLike<number>,
  clean: Float32Array,
  { epsilon, step }: AttackStep,
): void {
  for (let i = 0; i < images.length; i++) {
    const moved = images[i] + step * Math.sign(gradient[i]);
    const near = Math.min(Math.max(moved, clean[i] - epsilon), clean[i] + epsilon);
    images[i] = Math.min(Math.max(near, 0), 1);
  }
}
