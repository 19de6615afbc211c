import { brandsOf } from './avif';
import { hasText, viewOf } from './format';

const LATIN1 = new TextDecoder('latin1');

/** What a file is that is no image we read, as a reason with the way out. */
export function foreignKind(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'the file is empty';
  const brands = brandsOf(bytes);
  if (brands.some((brand) => /^(hei[cxms]|hev[cxms]|mif1|msf1)$/.test(brand))) {
    return 'HEIC is not read: convert it to JPEG (macOS: sips -s format jpeg; Linux: heif-convert), or set the iPhone to Settings, Camera, Formats, Most Compatible';
  }
  if (brands.length > 0) return 'it is a video or another media file';
  const kind = BINARY.find(([, matches]) => matches(bytes));
  if (kind) return kind[0];
  const text = LATIN1.decode(bytes.subarray(0, 200)).trimStart().toLowerCase();
  if (text.startsWith('version https://git-lfs'))
    return 'it is a pointer of Git LFS, not the image: run git lfs pull';
  if (text.startsWith('<!doctype html') || text.startsWith('<html'))
    return 'it is a web page, saved in place of the image';
  if (/^(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?<svg/s.test(text)) return 'SVG is not read: save it as PNG';
  return 'it is no image that is read (JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF, PPM)';
}

const BINARY: [reason: string, matches: (bytes: Uint8Array) => boolean][] = [
  ['JPEG XL is not read: save it as PNG', (b) => (b[0] === 0xff && b[1] === 0x0a) || hasText(b, 4, 'JXL ')],
  ['JPEG 2000 is not read: save it as PNG', (b) => hasText(b, 4, 'jP  ') || (b[0] === 0xff && b[1] === 0x4f)],
  ['PSD is not read: save it as PNG', (b) => hasText(b, 0, '8BPS')],
  ['icons (ICO) are not read: save it as PNG', (b) => b.length > 6 && viewOf(b).getUint32(0) === 0x00000100],
  ['it is a PDF', (b) => hasText(b, 0, '%PDF')],
  ['it is gzip data, not an image', (b) => b[0] === 0x1f && b[1] === 0x8b],
  ['it is a zip archive, not an image', (b) => hasText(b, 0, 'PK\x03\x04')],
  [
    'PBM and text PPM are not read: save it as PNG',
    (b) => b[0] === 0x50 && b[1] >= 0x31 && b[1] <= 0x37 && b[2] <= 32,
  ],
];
