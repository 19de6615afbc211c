/** What an image file's first bytes say about it. */
export interface ImageHeader {
  format: 'jpeg' | 'png' | 'webp';
  width: number;
  height: number;
}

/** Largest image that is decoded, pixels: above it, a file of a few kilobytes could fill the memory. */
export const MAX_PIXELS = 50_000_000;
/** Progressive JPEGs have about ten scans; thousands of empty ones would keep the decoder busy for minutes. */
const MAX_SCANS = 200;

/** A file that is not an image we read; the message is a reason for `skipped`, without the file's name. */
export class ImageError extends Error {
  override name = 'ImageError';
}

/**
 * Reads format and size without decoding, and refuses what must not reach a decoder: unknown formats, cut-off
 * JPEGs, CMYK, more than MAX_PIXELS. Throws an ImageError.
 */
export function readImageHeader(bytes: Uint8Array): ImageHeader {
  const header = recognise(bytes);
  const { width, height } = header;
  if (width < 1 || height < 1) throw new ImageError('the image is empty');
  if (width * height > MAX_PIXELS) {
    throw new ImageError(`${width}x${height} is above the limit of ${MAX_PIXELS / 1e6} megapixels`);
  }
  return header;
}

function recognise(bytes: Uint8Array): ImageHeader {
  if (bytes.length === 0) throw new ImageError('the file is empty');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return jpegHeader(view, bytes);
  if (bytes.length >= 33 && view.getUint32(0) === 0x89504e47 && view.getUint32(4) === 0x0d0a1a0a) {
    if (view.getUint32(12) !== 0x49484452) throw new ImageError('the PNG has no header');
    return { format: 'png', width: view.getUint32(16), height: view.getUint32(20) };
  }
  if (bytes.length >= 30 && view.getUint32(0) === 0x52494646 && view.getUint32(8) === 0x57454250) {
    return webpHeader(view, bytes);
  }
  throw new ImageError('it is neither JPEG, PNG nor WebP');
}

/** Walks the segments (ITU T.81, annex B) to the end-of-image marker, which cut-off files lack. */
function jpegHeader(view: DataView, bytes: Uint8Array): ImageHeader {
  let frame: ImageHeader | undefined;
  let scans = 0;
  let at = 2;
  for (;;) {
    at = nextMarker(bytes, at);
    const marker = bytes[at - 1];
    if (marker === 0xd9) break;
    if (at + 2 > bytes.length) throw new ImageError('the JPEG is cut off');
    const end = at + view.getUint16(at);
    if (end > bytes.length) throw new ImageError('the JPEG is cut off');
    if (!frame && isFrame(marker) && end >= at + 8) {
      if (bytes[at + 7] === 4) throw new ImageError('CMYK JPEGs are not supported');
      frame = { format: 'jpeg', width: view.getUint16(at + 5), height: view.getUint16(at + 3) };
    }
    if (marker === 0xda && ++scans > MAX_SCANS) throw new ImageError(`the JPEG has over ${MAX_SCANS} scans`);
    at = Math.max(end, at + 2);
  }
  if (!frame || scans === 0) throw new ImageError('the JPEG holds no picture');
  return frame;
}

/** SOF0 to SOF15, without the tables (C4, CC) and the reserved C8 among them. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

/** Position after the next marker that is not a restart, a stuffed zero or a fill byte. */
function nextMarker(bytes: Uint8Array, from: number): number {
  for (
    let at = bytes.indexOf(0xff, from);
    at >= 0 && at + 1 < bytes.length;
    at = bytes.indexOf(0xff, at + 1)
  ) {
    const code = bytes[at + 1];
    if (code !== 0 && code !== 0xff && (code < 0xd0 || code > 0xd7)) return at + 2;
  }
  throw new ImageError('the JPEG is cut off');
}

/** The three kinds of the WebP container: lossy, lossless and extended (whose canvas the decoder holds to). */
function webpHeader(view: DataView, bytes: Uint8Array): ImageHeader {
  const kind = view.getUint32(12);
  if (kind === 0x56503820) {
    return {
      format: 'webp',
      width: view.getUint16(26, true) & 0x3fff,
      height: view.getUint16(28, true) & 0x3fff,
    };
  }
  if (kind === 0x5650384c) {
    const bits = view.getUint32(21, true);
    return { format: 'webp', width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
  }
  if (kind === 0x56503858) {
    if (bytes[20] & 2) throw new ImageError('animated WebP is not supported');
    const u24 = (at: number) => bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16);
    return { format: 'webp', width: u24(24) + 1, height: u24(27) + 1 };
  }
  throw new ImageError('the WebP holds no picture');
}
