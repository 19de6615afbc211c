import { decideSettings } from '../src/train/decide';
import { defaultSettings, type RunSettings } from '../src/train/settings';

/** The default settings of a run on 512 images and a network of ImageNet's, with changes. */
export const runSettings = (changes: Partial<RunSettings> = {}): RunSettings => ({
  ...decideSettings(defaultSettings(), {
    input: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
    images: 512,
  }),
  ...changes,
});

/** All that augments images. */
export const AUGMENTED: Partial<RunSettings> = {
  cropPadding: 0,
  cropScale: 0.3,
  verticalFlip: true,
  colorJitter: [0.4, 0.3, 0.2, 0.1],
  trivialAugment: true,
  randomErasing: 0.5,
  mixup: 0.2,
  cutmix: 1,
};
