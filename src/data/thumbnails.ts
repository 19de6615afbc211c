import { FormatError } from '../io/format-error';
import { listSource } from './files/archive';
import { decodeImage } from './images/decode';
import { ImageError } from './images/format';
import { resizeAndCrop } from './images/resize';
import { isWanted } from './layout/names';
import type { Thumbnail } from './survey';
import type { UserFile } from './types';

/** More are never shown at once. */
const MOST = 64;
/** Bytes of a file that is still decoded for a small picture. */
const MAX_FILE = 64 * 2 ** 20;

/**
 * Small pictures of some of a source's images, by the paths that it calls them by.
 * @param side of a picture, pixels
 * @returns those that are there and can be decoded, 64 at most, in the order of `paths`
 */
export async function thumbnailsOf(
  files: UserFile[],
  paths: readonly string[],
  side: number,
): Promise<Thumbnail[]> {
  const tree = await listSource(files, isWanted);
  const byPath = new Map(tree.files.map((file) => [file.path, file]));
  const found: Thumbnail[] = [];
  for (const image of paths.slice(0, MOST)) {
    const file = byPath.get(image);
    if (!file || file.size > MAX_FILE) continue;
    try {
      const { pixels, width, height } = await decodeImage(await file.read());
      found.push({
        image,
        side,
        pixels: resizeAndCrop(pixels, { width, height }, { width: side, height: side }),
      });
    } catch (error) {
      if (!(error instanceof ImageError || error instanceof FormatError)) throw error;
    }
  }
  return found;
}
