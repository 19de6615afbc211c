import { cropOf } from '../data/pixels';
import type { LabelledImages } from '../data/types';
import { UserError } from '../errors';
import type { Model } from '../model/model';
import type { RunSettings } from './settings';

/** Sides are multiples of this: the networks of these tasks halve them three times at most. */
const MULTIPLE = 8;

/**
 * Whether a run's images and settings are for its network's task, one that is no classifier's.
 * @throws UserError that names what is not, and what would be
 */
export function checkTask(model: Model, images: readonly LabelledImages[], settings: RunSettings): void {
  const what = `${model.name} is a network for ${model.task}`;
  if (images.some(({ truth }) => !truth))
    throw new UserError(
      `${what}: it needs to know what is where in the images, which of the built-in scenes alone is known (--data builtin-scenes). Take those, or a network for classification.`,
    );
  const { height, width } = cropOf(images[0]);
  if (images.some(({ crop }) => crop) || height % MULTIPLE > 0 || width % MULTIPLE > 0)
    throw new UserError(
      `${what}: it takes images as they are, of sides that are multiples of ${MULTIPLE} pixels.`,
    );
  const s = settings;
  const given = [
    s.cropScale < 1 && 'cropScale',
    s.cropPadding > 0 && 'cropPadding',
    s.flip && 'flip',
    s.verticalFlip && 'verticalFlip',
    s.colorJitter.some((x) => x > 0) && 'colorJitter',
    s.trivialAugment && 'trivialAugment',
    s.randomErasing > 0 && 'randomErasing',
    s.mixup > 0 && 'mixup',
    s.cutmix > 0 && 'cutmix',
    s.labelSmoothing > 0 && 'labelSmoothing',
    s.balance !== 'none' && 'balance',
  ].filter((name) => name !== false);
  if (given.length > 0)
    throw new UserError(
      `${what}, which takes no augmentation, label smoothing or balance of classes: leave ${given.join(', ')} out (augment: none).`,
    );
}
