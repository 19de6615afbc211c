/** Random changes of training images. */
import { choice, flag, numbers, orAuto, real, whole } from '../field';
import { setting } from './setting';

export const augmentation = {
  augment: setting(
    choice(
      ['auto'],
      ['none', 'None'],
      ['cifar', 'CIFAR: padded crops, flips'],
      ['imagenet', 'ImageNet: resized crops of 8 to 100 %, flips'],
      ['photos', 'Photos: resized crops of 50 to 100 %, flips, some colour'],
    ),
    'auto',
    {
      group: 'augmentation',
      label: 'Augmentation',
      help: 'random changes of training images; auto: photos for fewer than 10,000 images above 64 px, else cifar',
    },
  ),
  cropScale: setting(orAuto(real({ min: 0.01, max: 1 }, 0.01)), 'auto', {
    group: 'augmentation',
    label: 'Least crop',
    help: "least share of the area that RandomResizedCrop takes; 1: no such crop; auto: the augmentation's",
  }),
  cropRatio: setting(orAuto(real({ min: 1, max: 10 }, 0.1)), 'auto', {
    group: 'augmentation',
    label: 'Crop ratio',
    help: 'largest ratio of the sides of a resized crop; the smallest is one over it; auto: 4/3',
  }),
  cropPadding: setting(orAuto(whole(0, 64)), 'auto', {
    group: 'augmentation',
    label: 'Crop padding',
    unit: 'px',
    help: "padding in pixels of RandomCrop; 0: no such crop; auto: the augmentation's",
  }),
  flip: setting(orAuto(flag), 'auto', {
    group: 'augmentation',
    label: 'Horizontal flip',
    help: "random horizontal flip; auto: the augmentation's",
  }),
  verticalFlip: setting(flag, false, {
    group: 'augmentation',
    label: 'Vertical flip',
    help: 'random vertical flip, for images without an up and down',
  }),
  colorJitter: setting(
    orAuto(numbers(['brightness', 'contrast', 'saturation', 'hue'], real({ min: 0, max: 1 }, 0.05))),
    'auto',
    {
      group: 'augmentation',
      label: 'Colour jitter',
      help: "ColorJitter's brightness, contrast, saturation and hue (up to 0.5); auto: the augmentation's",
    },
  ),
  trivialAugment: setting(flag, false, {
    group: 'augmentation',
    label: 'TrivialAugment',
    help: 'TrivialAugmentWide: one random operation of 14 on each image',
  }),
  randomErasing: setting(real({ min: 0, max: 1 }, 0.05), 0, {
    group: 'augmentation',
    label: 'Random erasing',
    help: 'share of the images of which RandomErasing blots a box out',
  }),
  mixup: setting(real({ min: 0, max: 10 }, 0.1), 0, {
    group: 'augmentation',
    label: 'Mixup',
    help: 'alpha of mixup: each image and its label are mixed with another; 0: none',
  }),
  cutmix: setting(real({ min: 0, max: 10 }, 0.1), 0, {
    group: 'augmentation',
    label: 'CutMix',
    help: 'alpha of CutMix: a box of each image is from another; 0: none; with mixup, each batch has one of them',
  }),
};
