import { viewOf } from './format';

const ORIENTATION = 0x0112;
const SHORT = 3;

/**
 * How a picture is to be turned, 1 (as it is) to 8, by its EXIF data or another TIFF structure's first directory; 1 where
 * that says nothing sensible.
 */
export function orientationOf(tiff: Uint8Array | undefined): number {
  if (!tiff || tiff.length < 14) return 1;
  const view = viewOf(tiff);
  const little = view.getUint16(0) === 0x4949;
  if (!little && view.getUint16(0) !== 0x4d4d) return 1;
  const first = view.getUint32(4, little);
  if (first + 2 > tiff.length) return 1;
  const count = view.getUint16(first, little);
  for (let i = 0, at = first + 2; i < count && at + 12 <= tiff.length; i++, at += 12) {
    if (view.getUint16(at, little) !== ORIENTATION) continue;
    const value =
      view.getUint16(at + 2, little) === SHORT
        ? view.getUint16(at + 8, little)
        : view.getUint32(at + 8, little);
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

/** Whether that orientation makes columns of rows. */
export function turnsSideways(orientation: number): boolean {
  return orientation > 4;
}

interface Rgb {
  pixels: Uint8Array<ArrayBuffer>;
  width: number;
  height: number;
}

/** The picture upright, as Pillow's `ImageOps.exif_transpose` turns it. */
export function turnUpright({ pixels, width, height }: Rgb, orientation: number): Rgb {
  if (orientation === 1) return { pixels, width, height };
  const isSideways = turnsSideways(orientation);
  const [outWidth, outHeight] = isSideways ? [height, width] : [width, height];
  const out = new Uint8Array(pixels.length);
  // which ends of the stored rows and columns change places
  const flipsX = [2, 3, 7, 8].includes(orientation);
  const flipsY = [3, 4, 6, 7].includes(orientation);
  for (let y = 0; y < outHeight; y++) {
    for (let x = 0; x < outWidth; x++) {
      const [column, row] = isSideways ? [y, x] : [x, y];
      const from = ((flipsY ? height - 1 - row : row) * width + (flipsX ? width - 1 - column : column)) * 3;
      const to = (y * outWidth + x) * 3;
      out[to] = pixels[from];
      out[to + 1] = pixels[from + 1];
      out[to + 2] = pixels[from + 2];
    }
  }
  return { pixels: out, width: outWidth, height: outHeight };
}
