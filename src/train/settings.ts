/**
 * The settings of a training run, each described once: the page's form, its URL, the config file, the command line and
 * their messages read them from here.
 */
import { UserError } from '../errors';
import { type DecidedAugmentation, decideAugmentation } from './augmentation';
import {
  type Accepts,
  channels,
  choice,
  type Field,
  fieldText,
  flag,
  numberChoice,
  numbers,
  orAuto,
  parseField,
  real,
  show,
  whole,
  wordOrNames,
} from './field';
import { decideRate } from './rate';

/** Where forms show a setting; `main` is always in sight, the method has a place of its own. */
export const settingGroups = {
  method: 'Method',
  main: 'Run',
  map: 'Map',
  layers: 'Layers that train',
  optimisation: 'Optimisation',
  schedule: 'Schedule',
  images: 'Images',
  augmentation: 'Augmentation',
  device: 'Device',
  results: 'Results',
} as const;

export type SettingGroup = keyof typeof settingGroups;

/** A setting: its group, its default, and the other settings' values that it has a meaning for. */
export interface SettingField<T> extends Field<T> {
  group: SettingGroup;
  fallback: T;
  /** a form hides it elsewhere; absent: always shown */
  onlyFor?: Readonly<Record<string, readonly string[]>>;
}

type Rest<T> = Omit<SettingField<T>, keyof Accepts<T> | 'fallback'>;

const setting = <T>(accepts: Accepts<T>, fallback: NoInfer<T>, rest: Rest<T>): SettingField<T> => ({
  ...accepts,
  ...rest,
  fallback,
});

const MAPS = { method: ['refocus', 'joint'] };
const SGD = { optimizer: ['sgd'] };

/** Every setting, in the order in which help and forms show them. */
export const settingFields = {
  method: setting(
    choice(
      ['refocus', 'Refocus', 'Keeps the trained kernels frozen and learns a map that refocuses them.'],
      ['finetune', 'Fine-tune', 'Goes on training every weight as it is: the fair comparison.'],
      ['retrain', 'Retrain', 'Starts again from random weights, with the same budget.'],
      ['joint', 'Joint', 'Trains the kernels and their map together.'],
    ),
    'refocus',
    {
      group: 'method',
      label: 'Method',
      help: 'what to train: maps on the frozen kernels, all weights, all from new random ones, or both together',
    },
  ),
  epochs: setting(whole(1, 100_000), 3, {
    group: 'main',
    label: 'Epochs',
    help: 'passes over the training images',
  }),
  batch: setting(orAuto(whole(1, 65_536)), 'auto', {
    group: 'main',
    label: 'Batch size',
    unit: 'images',
    help: 'images a step; auto: 128, or a quarter of fewer training images, 16 where there are so many',
  }),
  /** of a batch; gradients add up over the micro-batches before the update */
  microBatch: setting(orAuto(whole(1, 65_536)), 'auto', {
    group: 'optimisation',
    label: 'Micro-batch',
    unit: 'images',
    help: "images that a step takes at a time, their gradients added up to the batch's; auto: the batch, fewer where memory is short",
  }),
  lr: setting(orAuto(real({ above: 0, max: 100 }, 0.001)), 'auto', {
    group: 'main',
    label: 'Learning rate',
    help: 'highest learning rate; auto: 0.003, in proportion less for batches of fewer than 64 images if the classifier is kept',
  }),
  seed: setting(whole(0, 2 ** 32 - 1), 0, {
    group: 'main',
    label: 'Seed',
    help: 'seed of everything random',
  }),
  /** `auto` is depthwise where the network has any, else spatial */
  layers: setting(wordOrNames(['auto', 'depthwise', 'spatial'], 'names of convolutions'), 'auto', {
    group: 'map',
    label: 'Refocused layers',
    help: 'convolutions that get a map (auto: depthwise if any, else spatial)',
    onlyFor: MAPS,
  }),
  /** never above the kernel that the map refocuses */
  mapKernel: setting(numberChoice([1], [3], [5]), 3, {
    group: 'map',
    label: 'Map kernel',
    help: 'kernel size of the map',
    onlyFor: MAPS,
  }),
  mapInit: setting(choice(['zeros'], ['kaiming']), 'zeros', {
    group: 'map',
    label: 'Map start',
    help: 'start of the map',
    onlyFor: MAPS,
  }),
  /** the first term of equation 1 */
  identity: setting(flag, true, {
    group: 'map',
    label: 'Identity term',
    help: 'the identity term of RefConv; off only as an ablation',
    onlyFor: MAPS,
  }),
  path: setting(choice(['auto'], ['dense'], ['factored']), 'auto', {
    group: 'map',
    label: 'Map form',
    help: 'how the map is kept (auto: factored if exact)',
    onlyFor: MAPS,
  }),
  head: setting(choice(['auto'], ['keep'], ['new']), 'auto', {
    group: 'layers',
    label: 'Classifier',
    help: "keep the network's classifier or start a new one (auto: keep it where it knows the images' classes)",
  }),
  headLr: setting(real({ above: 0, max: 1000 }, 0.1), 1, {
    group: 'layers',
    label: "Head's rate",
    help: "factor on the learning rate of the network's last layer, which tells the classes apart",
  }),
  headEpochs: setting(orAuto(whole(0, 100_000)), 'auto', {
    group: 'layers',
    label: 'Epochs of the head alone',
    help: 'first epochs that train only the last layer, at the full rate; auto: one of them where that layer is new',
  }),
  /** of a normalisation the running statistics are frozen with its weight and bias */
  freeze: setting(
    wordOrNames(['none', 'backbone', 'norms', 'all-but-maps'], 'names of tensors or modules (* for any)'),
    'none',
    {
      group: 'layers',
      label: 'Freeze',
      help: 'what does not train: all but the head (backbone), batch and layer norms, all but the maps, or what names say, as features.0,*.bias',
    },
  ),
  optimizer: setting(choice(['sgd', 'SGD'], ['adamw', 'AdamW']), 'sgd', {
    group: 'optimisation',
    label: 'Optimiser',
    help: 'rule that updates the weights',
  }),
  momentum: setting(real({ min: 0, below: 1 }, 0.01), 0.9, {
    group: 'optimisation',
    label: 'Momentum',
    help: 'share of the last update that is kept (sgd)',
    onlyFor: SGD,
  }),
  nesterov: setting(flag, false, {
    group: 'optimisation',
    label: 'Nesterov momentum',
    help: 'look ahead by the momentum (sgd)',
    onlyFor: SGD,
  }),
  weightDecay: setting(real({ min: 0, max: 1 }, 1e-5), 4e-5, {
    group: 'optimisation',
    label: 'Weight decay',
    help: 'pull of every weight towards zero',
  }),
  /** decay is not for what scales or shifts, some say; timm's `filter_bias_and_bn` */
  decayNorms: setting(flag, true, {
    group: 'optimisation',
    label: 'Decay norms and biases',
    help: 'weight decay on the weights of norms and on biases too',
  }),
  labelSmoothing: setting(real({ min: 0, below: 1 }, 0.01), 0, {
    group: 'optimisation',
    label: 'Label smoothing',
    help: 'share of the target spread over all classes',
  }),
  balance: setting(
    choice(
      ['none'],
      ['loss', 'by weights in the loss', 'Images of a class weigh the more, the fewer it has.'],
      ['sampler', 'by the order of images', 'Each epoch takes as many images of each class.'],
    ),
    'none',
    {
      group: 'optimisation',
      label: 'Balance classes',
      help: "what makes up for classes of unequal size: weights in the loss, inverse to a class' images, or an order that takes as many of each",
    },
  ),
  /** the norm is the whole gradient's */
  clipNorm: setting(real({ min: 0, max: 1e9 }, 0.1), 0, {
    group: 'optimisation',
    label: 'Gradient clip',
    help: 'largest norm of the whole gradient; 0: no clipping',
  }),
  /** timm's; the decay begins lower and rises to this */
  ema: setting(real({ min: 0, below: 1 }, 0.0001), 0, {
    group: 'optimisation',
    label: 'Average of weights',
    help: 'decay of an exponential moving average of the weights, which is then tested and kept; 0: none',
  }),
  schedule: setting(choice(['constant'], ['step'], ['cosine']), 'cosine', {
    group: 'schedule',
    label: 'Schedule',
    help: 'course of the learning rate',
  }),
  warmupEpochs: setting(real({ min: 0, max: 100_000 }, 1), 0, {
    group: 'schedule',
    label: 'Warm-up epochs',
    help: 'epochs of linear warm-up (cosine)',
    onlyFor: { schedule: ['cosine'] },
  }),
  /** RefConv's own recipe has it */
  freshOptimizer: setting(flag, false, {
    group: 'schedule',
    label: 'Fresh optimiser after the warm-up',
    help: 'begin again without momentum where the warm-up ends (cosine)',
    onlyFor: { schedule: ['cosine'] },
  }),
  patience: setting(whole(0, 100_000), 0, {
    group: 'schedule',
    label: 'Patience',
    unit: 'epochs',
    help: 'stop after so many epochs without a better test accuracy; 0: never',
  }),
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
  classOrder: setting(wordOrNames(['name', 'natural'], 'all class names in their order'), 'name', {
    group: 'images',
    label: 'Class order',
    help: "order of the classes: by name (torchvision's ImageFolder), natural (1, 2, 10; timm), or as listed (the command line takes a .txt file too)",
  }),
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
  /** the bits of a run depend on the way to cut the step */
  autotune: setting(flag, false, {
    group: 'device',
    label: 'Tune for this device',
    help: 'time a few ways to cut the step on this device, take the fastest and remember it',
  }),
  /** of activations of the forward pass; sums, weights and gradients are f32 always */
  storage: setting(choice(['f32'], ['f16']), 'f32', {
    group: 'device',
    label: 'Activations kept as',
    help: 'how activations are kept; f16 takes a third less memory and needs a GPU with shader-f16',
  }),
  format: setting(choice(['safetensors'], ['pth', 'PyTorch (.pth)'], ['both']), 'safetensors', {
    group: 'results',
    label: 'Format of the weights',
    help: 'files of the merged weights: safetensors, pth (as torch.save writes it) or both',
  }),
  /** the last of a run is kept in any case, unless there are none */
  checkpointMinutes: setting(real({ min: 0, max: 1440 }, 1), 2, {
    group: 'results',
    label: 'Checkpoints',
    unit: 'minutes',
    help: 'minutes between checkpoints within an epoch, which a run can go on from; each epoch ends with one too; 0: none at all',
  }),
  unmerged: setting(flag, false, {
    group: 'map',
    label: 'Unmerged weights too',
    help: 'also write bases and maps before they are merged (<conv>.weight, <conv>.convmap.weight), to train on from',
    onlyFor: MAPS,
  }),
};

export type SettingName = keyof typeof settingFields;

/** The settings of a run; {@link settingFields} says what each means and takes. */
export type TrainSettings = { [K in SettingName]: (typeof settingFields)[K]['fallback'] };

type Decided =
  | 'batch'
  | 'lr'
  | 'microBatch'
  | 'repeats'
  | 'mean'
  | 'std'
  | 'headEpochs'
  | 'interpolation'
  | 'cropPct'
  | 'cropMode'
  | keyof DecidedAugmentation;

/** The settings of a run whose network and images are known: what was `auto` is decided. */
export type RunSettings = Omit<TrainSettings, Decided> & {
  [K in Decided]: Exclude<TrainSettings[K], 'auto'>;
};

/** What is decided by the network and the images. */
export interface DecidedBy {
  /** how the network's images are normalised */
  input: { mean: number[]; std: number[] };
  /** for training */
  images: number;
  /** the longer side of what the network sees of an image, pixels; default: that of CIFAR's images */
  side?: number;
  /** whether the last layer starts afresh, for other classes than the network had; default: it does not */
  newHead?: boolean;
}

/** Images of a batch at least, where there are so many: the gradient and the statistics of three say little. */
const LEAST_BATCH = 16;
/** An epoch takes so many images at least: of a dozen it would be over with one step. */
const LEAST_IMAGES = 128;

/** Settings with every `auto` decided. */
export function decideSettings(
  settings: TrainSettings,
  { input, images, side = 32, newHead = false }: DecidedBy,
): RunSettings {
  const { mean, std, headEpochs, interpolation, cropPct, cropMode, repeats } = settings;
  const auto = Math.min(128, images, Math.max(LEAST_BATCH, Math.floor(images / 4)));
  const batch = settings.batch === 'auto' ? auto : settings.batch;
  const triple = (values: number[]) => values as [number, number, number];
  return {
    ...settings,
    ...decideAugmentation(settings, { images, side }),
    batch,
    lr: decideRate(settings.lr, {
      images: Math.min(batch, images),
      isNew: newHead || settings.method === 'retrain',
    }),
    microBatch: settings.microBatch === 'auto' ? batch : settings.microBatch,
    repeats: repeats === 'auto' ? Math.ceil(LEAST_IMAGES / Math.min(images, LEAST_IMAGES)) : repeats,
    mean: mean === 'auto' ? triple(input.mean) : mean,
    std: std === 'auto' ? triple(input.std) : std,
    interpolation: interpolation === 'auto' ? 'bilinear' : interpolation,
    cropPct: cropPct === 'auto' ? 1 : cropPct,
    cropMode: cropMode === 'auto' ? 'center' : cropMode,
    headEpochs: headEpochs === 'auto' ? Number(newHead && headComesFirst(settings)) : headEpochs,
  };
}

/** Whether a new head has anything to wait for: a network around it that is trained already, and goes on training. */
const headComesFirst = ({ method, freeze, epochs }: TrainSettings): boolean =>
  method !== 'retrain' && freeze !== 'backbone' && epochs > 1;

export type Method = TrainSettings['method'];

/** The settings' names, in the order of {@link settingFields}. */
export const settingNames = Object.keys(settingFields) as SettingName[];

/** The defaults of all settings. */
export function defaultSettings(): TrainSettings {
  return structuredClone(
    Object.fromEntries(settingNames.map((name) => [name, settingFields[name].fallback])),
  ) as unknown as TrainSettings;
}

/** Whether a setting has a meaning beside the others as they stand; a form hides it where it has none. */
export function applies(name: SettingName, settings: Readonly<Record<SettingName, unknown>>): boolean {
  const { onlyFor = {} }: SettingField<unknown> = settingFields[name];
  return Object.entries(onlyFor).every(([other, values]) =>
    values.includes(fieldText(settings[other as SettingName])),
  );
}

/**
 * Checks one setting.
 * @param label how the message calls it, for example `--lr`
 * @throws UserError that names the setting, what it expects and what it got
 */
export function parseSetting<K extends SettingName>(
  name: K,
  value: unknown,
  label: string = name,
): TrainSettings[K] {
  return parseField<unknown>(settingFields[name], value, label) as TrainSettings[K];
}

/**
 * Settings from anything: a config file's JSON, a form, URL parameters or command-line values. What is absent
 * takes its default; text is accepted for numbers, flags and lists.
 * @param label how messages call a setting; the command line says `--weight-decay`
 * @throws UserError on an unknown name, a value out of range or settings that contradict each other
 */
export function parseSettings(
  input: unknown,
  label: (name: string) => string = (name) => name,
): TrainSettings {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new UserError(`Settings must be an object of names and values, not ${show(input)}.`);
  }
  const settings: Record<string, unknown> = { ...defaultSettings() };
  for (const [name, value] of Object.entries(input)) {
    if (!Object.hasOwn(settingFields, name)) {
      throw new UserError(
        `Unknown setting ${label(name)}; the known ones are ${settingNames.map(label).join(', ')}.`,
      );
    }
    if (value !== undefined) settings[name] = parseSetting(name as SettingName, value, label(name));
  }
  const checked = settings as unknown as TrainSettings;
  checkTogether(checked, label);
  return checked;
}

/** Settings that are fine alone but not together. */
function checkTogether(settings: TrainSettings, label: (name: string) => string): void {
  if (settings.unmerged && !settings.identity) {
    throw new UserError(
      `${label('unmerged')} needs the ${label('identity')} term: who reads bases and maps adds it.`,
    );
  }
  if (settings.nesterov && (settings.optimizer !== 'sgd' || settings.momentum === 0)) {
    throw new UserError(
      `${label('nesterov')} needs ${label('optimizer')} sgd and ${label('momentum')} above 0.`,
    );
  }
  if (settings.path === 'factored' && (settings.optimizer !== 'sgd' || settings.method === 'joint')) {
    throw new UserError(
      `${label('path')} factored is exact only with ${label('optimizer')} sgd and a frozen basis; use ${label('path')} auto.`,
    );
  }
  const { cropScale, cropPadding, colorJitter } = settings;
  if (cropScale !== 'auto' && cropScale < 1 && cropPadding !== 'auto' && cropPadding > 0) {
    throw new UserError(
      `${label('cropScale')} and ${label('cropPadding')} are two kinds of crop: give one of them.`,
    );
  }
  if (colorJitter !== 'auto' && colorJitter[3] > 0.5) {
    throw new UserError(`${label('colorJitter')}'s hue must be at most 0.5, not ${colorJitter[3]}.`);
  }
  const { epochs, warmupEpochs, headEpochs } = settings;
  if (headEpochs !== 'auto' && headEpochs > epochs) {
    throw new UserError(
      `${label('headEpochs')} (${headEpochs}) must not be above ${label('epochs')} (${epochs}).`,
    );
  }
  const head = headEpochs === 'auto' ? 0 : headEpochs;
  if (warmupEpochs > 0 && warmupEpochs >= epochs - head) {
    const less = head > 0 ? ` less ${label('headEpochs')} (${head})` : '';
    throw new UserError(
      `${label('warmupEpochs')} (${warmupEpochs}) must be below ${label('epochs')} (${epochs})${less}.`,
    );
  }
}
