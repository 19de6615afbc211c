import { generateImages } from '../data/builtin/builtin';
import type { ClassImages } from '../data/class-images';
import type { ImageSurvey, Thumbnail } from '../data/survey';
import type { ThumbnailOptions } from '../data/thumbnails';
import { type DataSource, type ImageSettings, imageSeedOf } from './data-source';

/** What the sources of a run's images hold; `test` is absent where the training source has the test images. */
export interface RunSurvey {
  train: ImageSurvey;
  test?: ImageSurvey;
}

/**
 * Looks into the files that a run would load its images from.
 * @throws UserError as the run would, as far as names tell
 */
export async function surveyRun(
  sources: { train: DataSource; test?: DataSource },
  settings: ImageSettings,
): Promise<RunSurvey> {
  const { surveyImages } = await import('../data/survey');
  const options = optionsOf(settings);
  const { train, test } = sources;
  const first = await surveyImages(filesOf(train), { ...options, use: test ? 'train' : 'both' });
  if (!test) return { train: first };
  const { classes } = first;
  return { train: first, test: await surveyImages(filesOf(test), { ...options, use: 'test', classes }) };
}

/**
 * The images of one class of a run's sources, by what `pictureImages` and predictions call them.
 * @throws UserError as the run would, as far as names tell
 */
export async function classImages(
  sources: { train: DataSource; test?: DataSource },
  settings: ImageSettings,
  { name, classes }: { name: string; classes: string[] },
): Promise<ClassImages> {
  const { imagesOfClass } = await import('../data/class-images');
  const options = optionsOf(settings);
  const { train, test } = sources;
  const first = await imagesOfClass(filesOf(train), { ...options, use: test ? 'train' : 'both' }, name);
  if (!test) return first;
  const second = await imagesOfClass(filesOf(test), { ...options, use: 'test', classes }, name);
  return { train: first.train, test: second.test };
}

/** The settings that say which images are taken. */
const optionsOf = ({ limit, val, classOrder, rename, exif, ...seeds }: ImageSettings) => ({
  limit,
  seed: imageSeedOf(seeds),
  val,
  classOrder,
  rename,
  exif,
});

const filesOf = (source: DataSource) => (source.kind === 'files' ? source.files : []);

/** Side of a small picture, pixels. */
const SIDE = 48;

/** Pictures of images, by the names or places that predictions call them by; what cannot be shown is left out. */
export async function pictureImages(
  source: DataSource,
  images: readonly (string | number)[],
  { side = SIDE, ...options }: Partial<ThumbnailOptions> = {},
): Promise<Thumbnail[]> {
  const paths = images.filter((image) => typeof image === 'string');
  if (source.kind === 'files') {
    const { thumbnailsOf } = await import('../data/thumbnails');
    return thumbnailsOf(source.files, paths, { side, ...options });
  }
  const places = images.filter((image) => typeof image === 'number').slice(0, 64);
  const { pixels, width, height } = await generateImages({
    set: source.set,
    split: source.split,
    count: Math.max(-1, ...places) + 1,
  });
  const size = width * height * 3;
  return places.map((place) => ({
    image: String(place),
    side: width,
    pixels: pixels.slice(place * size, (place + 1) * size),
  }));
}
