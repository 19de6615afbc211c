/** How images are taken and prepared. */
import { channels, choice, flag, newNames, orAuto, real, whole, wordOrNames } from '../field';
import { setting } from './setting';

export const images = {
  /** each time in another order, cropped and flipped anew */
  repeats: setting(orAuto(whole(1, 1000)), 'auto', {
    group: 'images',
    label: 'Passes an epoch',
    help: 'how often an epoch goes over the training images; auto: once, but over fewer than 128 until it has seen so many',
  }),
  mean: setting(orAuto(channels(real({ min: -10, max: 10 }, 0.01))), 'auto', {
    group: 'images',
    label: 'Mean',
    help: "mean that inputs are normalised with; auto: the network's own",
  }),
  std: setting(orAuto(channels(real({ above: 0, max: 10 }, 0.01))), 'auto', {
    group: 'images',
    label: 'Deviation',
    help: "deviation that inputs are normalised with; auto: the network's own",
  }),
  limit: setting(whole(0, 1e9), 0, {
    group: 'images',
    label: 'Image limit',
    unit: 'images',
    help: 'at most so many training and so many test images; 0: all',
  }),
  imageSize: setting(whole(0, 1024), 0, {
    group: 'images',
    label: 'Image side',
    unit: 'px',
    help: 'side in pixels that images are resized to; 0: as the data is',
  }),
  /** `auto` is as the network was trained, where that is known, else bilinear */
  interpolation: setting(orAuto(choice(['bilinear'], ['bicubic'])), 'auto', {
    group: 'images',
    label: 'Interpolation',
    help: "how images are resized, as Pillow does; auto: the network's own, else bilinear",
  }),
  /** timm's; `auto` is as the network was tested, where that is known, else 1 */
  cropPct: setting(orAuto(real({ min: 0.1, max: 1 }, 0.005)), 'auto', {
    group: 'images',
    label: 'Share that is cropped',
    help: "side of the middle that is cut out, as a share of the resized image's shorter side; auto: the network's own, else 1",
  }),
  /** timm's; `auto` is as the network was trained last, where that is known, else center */
  cropMode: setting(
    orAuto(
      choice(['center', 'the middle'], ['squash', 'all, stretched'], ['border', 'all, with black around it']),
    ),
    'auto',
    {
      group: 'images',
      label: 'What is kept of an image',
      help: 'the middle of images that are no squares, all of them stretched (squash), or with black around (border)',
    },
  ),
  val: setting(real({ min: 0.01, max: 0.99 }, 0.05), 0.2, {
    group: 'images',
    label: 'Held out',
    help: 'fraction of each class that is held out to test, where no test images are given',
  }),
  /** what is chosen by the test images, as a learning rate, is not measured by them any more */
  validate: setting(flag, false, {
    group: 'images',
    label: 'Test on training images',
    help: 'to choose settings by: tests on training images that are held out, and leaves the test images unseen',
  }),
  validationShare: setting(orAuto(real({ min: 0.01, max: 0.9 }, 0.05)), 'auto', {
    group: 'images',
    label: 'Training images to test on',
    help: 'fraction of the training images of each class that is then held out; auto: as of the test images',
  }),
  /** runs of other seeds are tested on the same images where this is one number for all of them */
  imageSeed: setting(orAuto(whole(0, 2 ** 32 - 1)), 'auto', {
    group: 'images',
    label: 'Seed of the choice of images',
    help: 'seed by which images are taken and held out; auto: the seed of the run',
  }),
  classOrder: setting(wordOrNames(['name', 'natural'], 'all class names in their order'), 'name', {
    group: 'images',
    label: 'Class order',
    help: "order of the classes: by name (torchvision's ImageFolder), natural (1, 2, 10; timm), or as listed (the command line takes a .txt file too)",
  }),
  rename: setting(
    newNames,
    {},
    {
      group: 'images',
      label: 'Rename classes',
      help: 'new names of classes (cat=animal,dog=animal,junk=): those of one name become one class, without a name a class is left out',
    },
  ),
  exif: setting(
    choice(['ignore', 'ignore', "As torchvision's loader does."], ['apply', 'turn upright']),
    'ignore',
    {
      group: 'images',
      label: 'EXIF rotation',
      help: 'whether photos are turned as their EXIF data asks',
    },
  ),
  /** torch's DataLoader has it, and off by default too */
  dropLast: setting(flag, false, {
    group: 'images',
    label: 'Drop the last batch',
    help: 'leave out the images of an epoch that do not fill a batch; else they are a smaller last batch',
  }),
};
