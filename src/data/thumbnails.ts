import { FormatError } from '../io/format-error';
import { rawPlace } from './candidates';
import { listSource } from './files/archive';
import type { FileTree } from './files/tree';
import { decodeImage, type RgbImage } from './images/decode';
import { ImageError, type Size } from './images/format';
import { resizeAndCrop } from './images/resize';
import { isWanted } from './layout/names';
import { rawParts } from './raw/raw-sets';
import type { Thumbnail } from './survey';
import type { UserFile } from './types';

/** More are never shown at once. */
const MOST = 64;
/** Bytes of a file that is still decoded for a small picture. */
const MAX_FILE = 64 * 2 ** 20;

export interface ThumbnailOptions {
  /** of a picture, pixels */
  side: number;
  /** the whole image, with black beside it where it is no square; default: its middle */
  whole?: boolean;
  /** turned as EXIF data asks; default: as it is stored */
  upright?: boolean;
}

/**
 * Small pictures of some of a source's images, by the names that it calls them by.
 * @returns those that are there and can be decoded, 64 at most, in the order of `names`
 */
export async function thumbnailsOf(
  files: UserFile[],
  names: readonly string[],
  { side, whole = false, upright = false }: ThumbnailOptions,
): Promise<Thumbnail[]> {
  const tree = await listSource(files, isWanted);
  const read = (await rawReader(tree)) ?? fileReader(tree, upright);
  const found: Thumbnail[] = [];
  for (const image of names.slice(0, MOST)) {
    try {
      const decoded = await read(image);
      if (decoded) found.push({ image, side, pixels: inSquare(decoded, side, whole) });
    } catch (error) {
      if (!(error instanceof ImageError || error instanceof FormatError)) throw error;
    }
  }
  return found;
}

type Decoded = Size & Pick<RgbImage, 'pixels'>;
type Read = (name: string) => Promise<Decoded | undefined>;

function fileReader({ files }: FileTree, upright: boolean): Read {
  const byPath = new Map(files.map((file) => [file.path, file]));
  return async (path) => {
    const file = byPath.get(path);
    return file && file.size <= MAX_FILE ? decodeImage(await file.read(), { upright }) : undefined;
  };
}

/** Of images that lie in one file together. */
async function rawReader(tree: FileTree): Promise<Read | undefined> {
  const parts = rawParts(tree);
  if (!parts) return undefined;
  const sets = await Promise.all(parts.map(({ read }) => read()));
  return async (image) => {
    const { index, name } = rawPlace(image);
    const set = sets.find((one) => one.name === name);
    return set && index < set.labels.length
      ? { pixels: set.rgb(index), width: set.width, height: set.height }
      : undefined;
  };
}

function inSquare({ pixels, ...size }: Decoded, side: number, whole: boolean): Uint8Array<ArrayBuffer> {
  return resizeAndCrop(pixels, size, { width: side, height: side }, whole ? { cropMode: 'border' } : {});
}
