import { decodeFourComponents } from './cmyk';
import { orientationOf } from './exif';
import { dropAlpha, hasText, ImageError, type ImageFormat, type Size, viewOf } from './format';
import { decodeInWasm } from './wasm';

/**
 * Pixels times scans that a file may ask for: progressive JPEGs have about ten scans, and thousands of empty ones would
 * keep the decoder busy for minutes.
 */
const MAX_SCANNED = 1_000_000_000;
const MAX_SCANS = 200;

/** What the segments before the picture say. */
interface JpegHeader extends Size {
  components: number;
  /** the colour transform that Adobe's marker names; undefined without the marker */
  transform?: number;
  exif?: Uint8Array;
}

/** JPEG by mozjpeg, which is libjpeg as Pillow has it; four components, which it does not turn to RGB, in two parts. */
export const jpeg: ImageFormat = {
  name: 'JPEG',
  recognises: (bytes) => bytes[0] === 0xff && bytes[1] === 0xd8,
  size: (bytes) => {
    const { width, height } = readHeader(bytes);
    return { width, height };
  },
  async decode(bytes, size) {
    const header = readHeader(bytes);
    if (header.components === 4) return decodeFourComponents(bytes, size, header.transform);
    return dropAlpha(await decodeInWasm('jpeg', bytes, size));
  },
  orientation: (bytes) => orientationOf(readHeader(bytes).exif),
};

/** Walks the segments (ITU T.81, annex B) to the end-of-image marker, which cut-off files lack. */
function readHeader(bytes: Uint8Array): JpegHeader {
  const view = viewOf(bytes);
  let frame: Pick<JpegHeader, 'width' | 'height' | 'components'> | undefined;
  let transform: number | undefined;
  let exif: Uint8Array | undefined;
  let scans = 0;
  let at = 2;
  for (;;) {
    at = nextMarker(bytes, at);
    const marker = bytes[at - 1];
    if (marker === 0xd9) break;
    if (at + 2 > bytes.length) throw new ImageError('the JPEG is cut off');
    const end = at + view.getUint16(at);
    if (end > bytes.length) throw new ImageError('the JPEG is cut off');
    if (!frame && isFrame(marker) && end >= at + 8) frame = readFrame(view, at);
    if (marker === 0xda) scans++;
    if (marker === 0xee && hasText(bytes, at + 2, 'Adobe') && end >= at + 14) {
      transform ??= bytes[at + 13];
    }
    if (marker === 0xe1 && hasText(bytes, at + 2, 'Exif\0\0')) exif ??= bytes.subarray(at + 8, end);
    at = Math.max(end, at + 2);
  }
  if (!frame || scans === 0) throw new ImageError('the JPEG holds no picture');
  if (scans > MAX_SCANS || scans * frame.width * frame.height > MAX_SCANNED) {
    throw new ImageError(`the JPEG has ${scans} scans, more than it needs`);
  }
  return { ...frame, transform, exif };
}

function readFrame(view: DataView, at: number): Pick<JpegHeader, 'width' | 'height' | 'components'> {
  return { width: view.getUint16(at + 5), height: view.getUint16(at + 3), components: view.getUint8(at + 7) };
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
