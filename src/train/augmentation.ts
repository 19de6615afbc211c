export type AugmentationName = 'none' | 'cifar' | 'imagenet' | 'photos';

/** What a preset of `augment` sets; any setting that is not `auto` goes before it. */
export interface AugmentationPreset {
  cropPadding: number;
  cropScale: number;
  cropRatio: number;
  flip: boolean;
  colorJitter: [number, number, number, number];
}

const NONE: AugmentationPreset = {
  cropPadding: 0,
  cropScale: 1,
  // torchvision's
  cropRatio: 4 / 3,
  flip: false,
  colorJitter: [0, 0, 0, 0],
};

/** The presets, by what they are made for: `photos` for few of them, which ImageNet's crops would leave little of. */
export const augmentations: Record<AugmentationName, AugmentationPreset> = {
  none: NONE,
  cifar: { ...NONE, cropPadding: 4, flip: true },
  imagenet: { ...NONE, cropScale: 0.08, flip: true },
  photos: { ...NONE, cropScale: 0.5, flip: true, colorJitter: [0.2, 0.2, 0.2, 0.02] },
};

/** torchvision tests networks that were trained on ImageNet on the middle 224 of 256 pixels. */
export const IMAGENET_CROP = 0.875;

/** Images up to this side, pixels, are treated as CIFAR's. */
const SMALL_SIDE = 64;
/** Fewer photos than this need more variety than they have. */
const FEW_PHOTOS = 10_000;

/** A preset's settings as a user gives them: `auto` is the preset's. */
type Asked = { [K in keyof AugmentationPreset]: AugmentationPreset[K] | 'auto' } & {
  augment: AugmentationName | 'auto';
};

/** With every `auto` decided. */
export type DecidedAugmentation = AugmentationPreset & { augment: AugmentationName };

/**
 * Decides on the augmentation of a set.
 * @param set how many images it has, and the longer side of what a network sees of them, pixels
 */
export function decideAugmentation(asked: Asked, set: { images: number; side: number }): DecidedAugmentation {
  const few = set.side > SMALL_SIDE && set.images < FEW_PHOTOS;
  const augment = asked.augment === 'auto' ? (few ? 'photos' : 'cifar') : asked.augment;
  const preset = augmentations[augment];
  const or = <T>(value: T | 'auto', other: T): T => (value === 'auto' ? other : value);
  // of the two kinds of crop the one that is asked for
  const isPadded = asked.cropPadding !== 'auto' && asked.cropPadding > 0;
  const cropScale = or(asked.cropScale, isPadded ? 1 : preset.cropScale);
  return {
    augment,
    cropScale,
    cropRatio: or(asked.cropRatio, preset.cropRatio),
    cropPadding: or(asked.cropPadding, cropScale < 1 ? 0 : preset.cropPadding),
    flip: or(asked.flip, preset.flip),
    colorJitter: or(asked.colorJitter, preset.colorJitter),
  };
}

/** What a run says of its augmentation. */
export function augmentationSentence(
  s: DecidedAugmentation & {
    verticalFlip: boolean;
    trivialAugment: boolean;
    randomErasing: number;
    mixup: number;
    cutmix: number;
  },
): string {
  const parts = [
    s.cropScale < 1 && `crops of ${percent(s.cropScale)} to 100 % of the area, resized`,
    s.cropPadding > 0 && `crops after padding by ${s.cropPadding} px`,
    s.flip && 'horizontal flips',
    s.verticalFlip && 'vertical flips',
    s.colorJitter.some((x) => x > 0) && `colour jitter of ${s.colorJitter.join(', ')}`,
    s.trivialAugment && 'TrivialAugment',
    s.randomErasing > 0 && `random erasing of ${percent(s.randomErasing)} %`,
    s.mixup > 0 && `mixup ${s.mixup}`,
    s.cutmix > 0 && `CutMix ${s.cutmix}`,
  ].filter((part) => part !== false);
  const what = parts.length > 0 ? parts.join('; ') : 'images as they are';
  return `Augmentation ${s.augment}: ${what} (--augment chooses another).`;
}

const percent = (share: number): number => Math.round(share * 100);
