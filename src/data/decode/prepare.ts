import { decodeImage } from '../images/decode';
import type { Size } from '../images/format';
import { resizeAndCrop } from '../images/resize';
import type { Resizing } from '../types';

/** What becomes of each image of a set. */
export interface Preparation extends Resizing {
  /** that all images get */
  size: Size;
  /** what is cut out of their middle later; default: nothing */
  inner?: Size;
  /** turn images as EXIF asks */
  upright: boolean;
}

/** An image as a set keeps it. */
export interface PreparedImage {
  /** RGB bytes */
  pixels: Uint8Array<ArrayBuffer>;
  /** the same text for images that are equal after decoding, before they are resized */
  digest: string;
  /** how EXIF would have it turned; 1: as it is stored */
  orientation: number;
  /** whether it had another size, or is cropped */
  resized: boolean;
}

/** Decodes, resizes and crops an image. Throws an ImageError where the file is no good. */
export async function prepareImage(
  bytes: Uint8Array<ArrayBuffer>,
  { size, upright, ...resizing }: Preparation,
): Promise<PreparedImage> {
  const { pixels, width, height, orientation } = await decodeImage(bytes, { upright });
  const fits = width === size.width && height === size.height && (resizing.cropPct ?? 1) === 1;
  const digest = await digestOf(pixels, { width, height });
  return {
    pixels: fits ? pixels : resizeAndCrop(pixels, { width, height }, size, resizing),
    digest,
    orientation,
    resized: !fits,
  };
}

/** Half of SHA-256, and the size: pictures of the same bytes may have other sides. */
export async function digestOf(pixels: Uint8Array<ArrayBuffer>, { width, height }: Size): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', pixels);
  return `${width}x${height} ${btoa(String.fromCharCode(...new Uint8Array(digest, 0, 16)))}`;
}
