/** Largest image that is decoded, pixels: above it, a file of a few kilobytes could fill the memory. */
export const MAX_PIXELS = 50_000_000;

/** A file that is not an image we read; the message is a reason for `skipped`, without the file's name. */
export class ImageError extends Error {
  override name = 'ImageError';
}

/** Pixels across and down. */
export interface Size {
  width: number;
  height: number;
}

/** How the files of one format are read. Everything but `recognises` throws an ImageError where a file is no good. */
export interface ImageFormat {
  /** as messages call it: `JPEG` */
  name: string;
  /** whether the first bytes are this format's */
  recognises(bytes: Uint8Array): boolean;
  /** The size by the header alone; refuses what must not reach the decoder. */
  size(bytes: Uint8Array): Size;
  /** height * width * 3 bytes, RGB, row by row, of a file whose size is within bounds */
  decode(bytes: Uint8Array<ArrayBuffer>, size: Size): Promise<Uint8Array<ArrayBuffer>>;
  /** how EXIF or its like would have the picture turned, 1 to 8; absent: the format has no such thing apart */
  orientation?(bytes: Uint8Array): number;
}

/** Whether `text` (ASCII) stands at that place. */
export function hasText(bytes: Uint8Array, at: number, text: string): boolean {
  if (at + text.length > bytes.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Runs a library's decoder, whose own errors all mean the same. */
export function orDamaged<T>(name: string, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    throw error instanceof ImageError ? error : new ImageError(`the ${name} is damaged`);
  }
}

/** Red, green and blue of RGBA: alpha is dropped, as Pillow's `convert('RGB')` does. */
export function dropAlpha(rgba: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    rgb[to] = rgba[from];
    rgb[to + 1] = rgba[from + 1];
    rgb[to + 2] = rgba[from + 2];
  }
  return rgb;
}

/** Python's round() of a number that is not negative. */
export function roundHalfEven(value: number): number {
  const down = Math.floor(value);
  const isHalf = value - down === 0.5;
  return isHalf && down % 2 === 0 ? down : Math.floor(value + 0.5);
}

/** Gray samples as RGB. */
export function repeatGray(gray: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  const rgb = new Uint8Array(gray.length * 3);
  for (let i = 0; i < gray.length; i++) rgb.fill(gray[i], i * 3, i * 3 + 3);
  return rgb;
}
