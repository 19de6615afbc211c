import { generateBuiltin } from '../data/builtin/builtin';
import type { ImageSurvey, Thumbnail } from '../data/survey';
import type { DataSource, ImageSettings } from './data-source';

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
  const { limit, seed, val, classOrder, rename, exif } = settings;
  const options = { limit, seed, val, classOrder, rename, exif };
  const { train, test } = sources;
  const first = await surveyImages(filesOf(train), { ...options, use: test ? 'train' : 'both' });
  if (!test) return { train: first };
  const { classes } = first;
  return { train: first, test: await surveyImages(filesOf(test), { ...options, use: 'test', classes }) };
}

const filesOf = (source: DataSource) => (source.kind === 'files' ? source.files : []);

/** Side of a small picture, pixels. */
const SIDE = 48;

/** Small pictures of images, by the names or places that predictions call them by; what cannot be shown is left out. */
export async function pictureImages(
  source: DataSource,
  images: readonly (string | number)[],
): Promise<Thumbnail[]> {
  const paths = images.filter((image) => typeof image === 'string');
  if (source.kind === 'files') {
    const { thumbnailsOf } = await import('../data/thumbnails');
    return thumbnailsOf(source.files, paths, SIDE);
  }
  const places = images.filter((image) => typeof image === 'number').slice(0, 64);
  const { pixels, width, height } = generateBuiltin({
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
