import { orientationOf } from './exif';
import { dropAlpha, hasText, ImageError, type ImageFormat, type Size, viewOf } from './format';
import { decodeInWasm } from './wasm';

/** WebP by libwebp, as Pillow has it. */
export const webp: ImageFormat = {
  name: 'WebP',
  recognises: (bytes) => bytes.length >= 30 && hasText(bytes, 0, 'RIFF') && hasText(bytes, 8, 'WEBP'),
  size: readSize,
  decode: async (bytes, size) => dropAlpha(await decodeInWasm('webp', bytes, size)),
  orientation: (bytes) => {
    const chunk = chunks(bytes).find(({ kind }) => kind === 'EXIF');
    // some writers put JPEG's prefix before the data
    return orientationOf(chunk && hasText(chunk.data, 0, 'Exif\0\0') ? chunk.data.subarray(6) : chunk?.data);
  },
};

/** The three kinds of the container: lossy, lossless and extended (whose canvas the decoder holds to). */
function readSize(bytes: Uint8Array): Size {
  const view = viewOf(bytes);
  if (hasText(bytes, 12, 'VP8 ')) {
    return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
  }
  if (hasText(bytes, 12, 'VP8L')) {
    const bits = view.getUint32(21, true);
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
  }
  if (hasText(bytes, 12, 'VP8X')) {
    if (bytes[20] & 2) throw new ImageError('animated WebP is not read; save its first frame as PNG');
    const u24 = (at: number) => bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16);
    return { width: u24(24) + 1, height: u24(27) + 1 };
  }
  throw new ImageError('the WebP holds no picture');
}

function chunks(bytes: Uint8Array): { kind: string; data: Uint8Array }[] {
  const view = viewOf(bytes);
  const found = [];
  for (let at = 12; at + 8 <= bytes.length; ) {
    const size = view.getUint32(at + 4, true);
    const kind = String.fromCharCode(...bytes.subarray(at, at + 4));
    found.push({ kind, data: bytes.subarray(at + 8, at + 8 + size) });
    at += 8 + size + (size & 1);
  }
  return found;
}
