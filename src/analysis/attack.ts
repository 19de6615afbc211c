/** Adversarial images within a distance that a viewer hardly sees (Goodfellow et al. 2015; Madry et al. 2018). */

/** What an attack may do to a value from 0 to 1. */
export interface Attack {
  /** the largest change of any value */
  epsilon: number;
  /** the change of one step */
  step: number;
  /** how many steps */
  steps: number;
}

/** The gradient of the loss with respect to images, of any scale; null: the clean ones. */
export type ImageGradient = (images: Float32Array | null) => Promise<ArrayLike<number>>;

/**
 * Images as an attack leaves them: in each step every value goes where the loss grows, and stays within `epsilon` of the clean
 * one and within 0 and 1. One step of epsilon is FGSM, several smaller ones are PGD, here from the image itself.
 * @param clean values from 0 to 1
 */
export async function attacked(
  clean: Float32Array,
  gradient: ImageGradient,
  { epsilon, step, steps }: Attack,
): Promise<Float32Array> {
  const images = Float32Array.from(clean);
  for (let taken = 0; taken < steps; taken++) {
    const uphill = await gradient(taken === 0 ? null : images);
    for (let i = 0; i < images.length; i++) {
      const moved = images[i] + step * Math.sign(uphill[i]);
      const near = Math.min(Math.max(moved, clean[i] - epsilon), clean[i] + epsilon);
      images[i] = Math.min(Math.max(near, 0), 1);
    }
  }
  return images;
}
