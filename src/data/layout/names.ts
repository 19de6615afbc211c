/** What files are by their names. */

/** Formats that are not read (HEIC, ...) count as images too, so that their refusal shows. */
const IMAGE_NAME =
  /\.(jpe?g|jpe|jfif|png|apng|webp|gif|bmp|dib|tiff?|avif|ppm|pgm|pnm|pbm|hei[cf]|hif|jxl|jp2|j2k|ico|psd|svg|dng|cr[23w]|nef|arw|orf|rw2|raf)$/i;
const LABEL_NAME = /\.(csv|tsv|json|jsonl)$/i;
const SPLIT_NAME = /(^|\/)(images|train_test_split)\.txt$/;
const CIFAR_NAME = /\.bin$/i;
const IDX_NAME = /(idx[13]-ubyte|\.idx[13]?)(\.gz)?$/i;

export const isImageName = (path: string): boolean => IMAGE_NAME.test(path);
export const isLabelName = (path: string): boolean => LABEL_NAME.test(path);
export const isSplitName = (path: string): boolean => SPLIT_NAME.test(path);
export const isCifarName = (path: string): boolean => CIFAR_NAME.test(path);
export const isIdxName = (path: string): boolean => IDX_NAME.test(path);

/** Whether there is a use for the content of such a file. */
export function isWanted(path: string): boolean {
  return [isImageName, isLabelName, isSplitName, isCifarName, isIdxName].some((is) => is(path));
}

/** What the images of a part of a set are for. */
export type Part = 'train' | 'val' | 'test';

const PART_NAMES: Record<string, Part> = {
  train: 'train',
  training: 'train',
  trainset: 'train',
  trainval: 'train',
  trn: 'train',
  val: 'val',
  valid: 'val',
  validation: 'val',
  valset: 'val',
  vld: 'val',
  dev: 'val',
  eval: 'val',
  test: 'test',
  testing: 'test',
  testset: 'test',
  tst: 'test',
  evaluation: 'test',
};

/** The part that a folder of exactly that name holds, whatever its case and what stands between its words. */
export function partNamed(name: string): Part | undefined {
  const letters = name.toLowerCase().replace(/[ _-]/g, '');
  return Object.hasOwn(PART_NAMES, letters) ? PART_NAMES[letters] : undefined;
}

/** The part that one of the words of a name names (`seg_train`, `TestImages`); undefined where none or several do. */
export function partWithin(name: string): Part | undefined {
  const words = name.replace(/([a-z])([A-Z])/g, '$1 $2').split(/[^a-z]+/i);
  const parts = words.flatMap((word) => partNamed(word) ?? []);
  return parts.length === 1 ? parts[0] : undefined;
}
