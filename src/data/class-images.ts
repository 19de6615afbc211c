import { openImageSet } from './image-set';
import type { LoadOptions, UserFile } from './types';

/** What each image of a class is called, in each part that is used; those that are held out are among the training images. */
export interface ClassImages {
  train: string[];
  test: string[];
}

/** The images of one class, in the order in which they are loaded; nothing is decoded. Throws a UserError as loading does. */
export async function imagesOfClass(
  files: UserFile[],
  options: LoadOptions,
  name: string,
): Promise<ClassImages> {
  const { classes, selected } = await openImageSet(files, options);
  const label = classes.indexOf(name);
  const of = (part: (typeof selected)['train']) =>
    part ? part.chosen.filter((_, i) => part.labels[i] === label).map((i) => part.candidates.path(i)) : [];
  return { train: of(selected.train), test: of(selected.test) };
}
