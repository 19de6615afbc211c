import { type BuiltinSet, builtinSets, generateImages } from '../data/builtin/builtin';
import { pick } from '../data/pick';
import { closeImages, cropOf } from '../data/pixels';
import type { ImageSetReport } from '../data/report';
import type { LoadedPart, Split } from '../data/split';
import type { LabelledImages, LoadOptions, Use, UserFile } from '../data/types';
import { UserError } from '../errors';
import { IMAGENET_CROP } from '../train/augmentation';
import type { TrainSettings } from '../train/settings';
import type { KeptImages, LoadedSource } from './kept-images';
import type { LoadedNetwork } from './loaded-network';
import type { Memo } from './memo';

/**
 * A labelled image set. `files`: archives, a folder's files, CIFAR's binary batches or an IDX pair, with or without parts
 * to train and to test. `builtin`: a procedural set, generated from its fixed seed; by default what the built-in network was
 * trained on.
 */
export type DataSource =
  | { kind: 'builtin'; split: 'train' | 'test'; set?: BuiltinSet }
  | { kind: 'files'; files: UserFile[] };

/** The settings that say how images are loaded. */
export type ImageSettings = Pick<
  TrainSettings,
  | 'imageSize'
  | 'limit'
  | 'seed'
  | 'val'
  | 'validate'
  | 'validationShare'
  | 'imageSeed'
  | 'classOrder'
  | 'rename'
  | 'exif'
  | 'interpolation'
  | 'cropPct'
  | 'cropMode'
  | 'augment'
>;

export interface LoadContext {
  memo?: Memo;
  /** of images that other jobs need too */
  kept?: KeptImages;
  onProgress?: (done: number, total: number) => void;
}

/** A run's images, and what is to be said about each source of files. */
export interface RunImages {
  train: LabelledImages;
  test: LabelledImages;
  /** images to train with before some were held out to validate: what a run without that would train with */
  trainable: number;
  /** which of these train and which validate, where some do */
  split?: Split;
  /** whether all training images are of one size and have stayed so */
  own?: boolean;
  reports: ImageSetReport[];
}

/** Loads what a run trains and tests with: out of two sources, or out of one that has both or of which some is held out. */
export async function loadRunImages(
  sources: { train: DataSource; test?: DataSource },
  settings: ImageSettings,
  context: LoadContext,
): Promise<RunImages> {
  if (settings.validate) return validationImages(sources, settings, context);
  const first = await loadSource(sources.train, sources.test ? 'train' : 'both', settings, context);
  const train = first.train as LoadedPart;
  if (!sources.test) {
    const test = first.test as LoadedPart;
    const reports = first.report ? [first.report] : [];
    return { train: train.images, test: test.images, trainable: train.images.count, own: first.own, reports };
  }
  const { classes } = train.images;
  const { width, height } = cropOf(train.images);
  const known = { classes, size: { width, height, own: first.own } };
  const second = await loadSource(sources.test, 'test', settings, context, known).catch(async (error) => {
    await closeImages(train.images);
    throw error;
  });
  const test = second.test as LoadedPart;
  if (second.report) {
    const { duplicateWarnings, leaksBetween } = await import('../data/report');
    second.report.warnings.push(...duplicateWarnings({ copies: 0, ...leaksBetween(train, test) }, false));
  }
  const reports = [first.report, second.report].filter((report) => report !== undefined);
  return { train: train.images, test: test.images, trainable: train.images.count, own: first.own, reports };
}

/** Training images alone, some of them to test on. */
async function validationImages(
  { train: source, test }: { train: DataSource; test?: DataSource },
  settings: ImageSettings,
  context: LoadContext,
): Promise<RunImages> {
  const first = await loadSource(source, test ? 'train' : 'both', settings, context);
  const all = first.train as LoadedPart;
  const name = first.report?.source ?? 'the built-in images';
  const { holdOut } = await import('../data/split');
  const [train, held, split] = holdOut(name, all, {
    val: validationShareOf(settings),
    seed: imageSeedOf(settings),
  });
  first.report?.notes.push(
    `${held.images.count} of the ${all.images.count} training images test this run, and do not train it; the test images stay unseen.`,
  );
  const reports = first.report ? [first.report] : [];
  return {
    train: train.images,
    test: held.images,
    trainable: all.images.count,
    split,
    own: first.own,
    reports,
  };
}

/** The share of the training images that test in their stead. */
export const validationShareOf = ({
  validationShare,
  val,
}: Pick<ImageSettings, 'validationShare' | 'val'>): number =>
  validationShare === 'auto' ? val : validationShare;

/** The seed by which images are taken and held out. */
export const imageSeedOf = ({ seed, imageSeed }: Pick<ImageSettings, 'seed' | 'imageSeed'>): number =>
  imageSeed === 'auto' ? seed : imageSeed;

/**
 * Loads what a network is tested on.
 * @param classes those that the network knows by name: images of others are left out
 */
export async function loadTestImages(
  source: DataSource,
  settings: ImageSettings,
  classes?: readonly string[],
  context: LoadContext = {},
): Promise<{ images: LabelledImages; report?: ImageSetReport }> {
  const known = classes && { classes: [...classes] };
  const { test, report } = await loadSource(source, 'test', settings, context, known);
  return { images: (test as LoadedPart).images, report };
}

/** The size of the images that a run would train with, and how many there are; of them only `read` are read. */
export async function trainingSize(
  source: DataSource,
  settings: ImageSettings,
  read: number,
): Promise<{ width: number; height: number; count: number }> {
  const { images, available } = await loadSample(source, settings, read);
  await closeImages(images);
  return { ...cropOf(images), count: available };
}

/** A few training images, evenly of all classes, and how many there are. */
export async function loadSample(
  source: DataSource,
  settings: ImageSettings,
  most: number,
): Promise<{ images: LabelledImages; available: number }> {
  const limit = Math.min(settings.limit || Number.POSITIVE_INFINITY, most);
  const { train, available } = await loadSource(source, 'train', { ...settings, limit }, {});
  const { images } = train as LoadedPart;
  return {
    images,
    available: Math.min(available ?? images.count, settings.limit || Number.POSITIVE_INFINITY),
  };
}

async function loadSource(
  source: DataSource,
  use: Use,
  { imageSize, interpolation, cropPct, cropMode, ...settings }: ImageSettings,
  { memo, kept, onProgress }: LoadContext,
  more: Pick<LoadOptions, 'classes' | 'size'> = {},
): Promise<LoadedSource> {
  const { limit, val, classOrder, rename, exif } = settings;
  const options = { limit, val, classOrder, rename, exif, seed: imageSeedOf(settings) };
  if (source.kind === 'builtin') {
    if (Object.keys(rename).length > 0)
      throw new UserError('The built-in images keep their classes: take the new names back.');
    const { set = 'builtin' } = source;
    const available = builtinSets[set].counts.train;
    const part = async (split: 'train' | 'test') => {
      const images = await builtinImages(set, split, limit, memo);
      // no two of them are equal
      return { images, digests: Array.from(images.labels, (_, i) => `${set} ${split} ${i}`) };
    };
    if (use === 'both') return { train: await part('train'), test: await part('test'), own: true, available };
    const { images, digests } = await part(source.split);
    return {
      [use]: { images: more.classes ? ofClasses(images, more.classes) : images, digests },
      own: true,
      available,
    };
  }
  // the readers of files come when the first file does: the built-in images need none
  const { loadImageSet } = await import('../data/image-set');
  const how = {
    ...options,
    use,
    size: imageSize,
    ...(interpolation !== 'auto' && { interpolation }),
    ...(cropPct !== 'auto' && { cropPct }),
    ...(cropMode !== 'auto' && { cropMode }),
    uncropped: use !== 'test',
    ...more,
  };
  const load = () =>
    loadImageSet(source.files, { ...how, onProgress: ({ done, total }) => onProgress?.(done, total) });
  return kept ? kept.get(JSON.stringify(how), load) : load();
}

async function builtinImages(
  set: BuiltinSet,
  split: 'train' | 'test',
  limit: number,
  memo?: Memo,
): Promise<LabelledImages> {
  const all = builtinSets[set].counts[split];
  const generate = () => generateImages({ set, split, count: Math.min(limit || all, all) });
  return memo ? memo.get(`images ${JSON.stringify([set, split, limit])}`, generate) : generate();
}

/** The images of those classes, labelled by their order. */
export function ofClasses(images: LabelledImages, classes: readonly string[]): LabelledImages {
  const place = images.classes.map((name) => classes.indexOf(name));
  if (classes.length === place.length && place.every((to, from) => to === from)) return images;
  const wanted = [...images.labels.keys()].filter((i) => place[images.labels[i]] >= 0);
  if (wanted.length === 0)
    throw new UserError(
      `The images have none of the network's classes (${classes.slice(0, 5).join(', ')}): choose other images.`,
    );
  const picked = pick(images, wanted);
  return { ...picked, labels: picked.labels.map((label) => place[label]), classes: [...classes] };
}

/** Settings whose images are as those that the network was trained and tested on, where that is known and nothing else is asked for. */
export function asTrained<
  T extends Pick<ImageSettings, 'imageSize' | 'interpolation' | 'cropPct' | 'cropMode' | 'augment'>,
>(settings: T, network: Pick<LoadedNetwork, 'trainedSize' | 'interpolation' | 'cropPct' | 'cropMode'>): T {
  const { imageSize, interpolation, cropPct, cropMode, augment } = settings;
  const usual = augment === 'imagenet' ? IMAGENET_CROP : cropPct;
  return {
    ...settings,
    imageSize: imageSize || (network.trainedSize ?? 0),
    interpolation: interpolation === 'auto' ? (network.interpolation ?? interpolation) : interpolation,
    cropPct: cropPct === 'auto' ? (network.cropPct ?? usual) : cropPct,
    cropMode: cropMode === 'auto' ? (network.cropMode ?? cropMode) : cropMode,
  };
}

/** Throws unless the images' classes are as many as the network's. */
export function checkClasses({ file, model }: LoadedNetwork, { classes }: LabelledImages): void {
  const expected = model.head.classes;
  if (classes.length === expected) return;
  const names = `${classes.slice(0, 5).join(', ')}${classes.length > 5 ? ', ...' : ''}`;
  throw new UserError(
    `${file} tells ${expected} classes apart, the images have ${classes.length} (${names}): use images of the network's own classes.`,
  );
}
