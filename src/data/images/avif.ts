import { dropAlpha, hasText, ImageError, type ImageFormat, viewOf } from './format';
import { decodeInWasm } from './wasm';

/** A box of the ISO base media file format: its kind and where its content lies. */
interface Box {
  kind: string;
  begin: number;
  end: number;
}

/** Boxes are nested four deep at most on the way to a picture's properties; a file has a few dozen. */
const MAX_BOXES = 10_000;

/** AVIF by libavif, as Pillow has it from version 11.3 on. Rotation is a property of its own, told like EXIF's. */
export const avif: ImageFormat = {
  name: 'AVIF',
  recognises: (bytes) => brandsOf(bytes).some((brand) => brand === 'avif' || brand === 'avis'),
  size(bytes) {
    // a picture of tiles has a size for each, and the largest is its own
    const view = viewOf(bytes);
    const sizes = properties(bytes)
      .filter(({ kind, begin, end }) => kind === 'ispe' && end - begin >= 12)
      .map(({ begin }) => ({ width: view.getUint32(begin + 4), height: view.getUint32(begin + 8) }));
    if (sizes.length === 0) throw new ImageError('the AVIF holds no picture');
    return sizes.reduce((most, size) => (size.width * size.height > most.width * most.height ? size : most));
  },
  decode: async (bytes, size) => dropAlpha(await decodeInWasm('avif', bytes, size)),
  orientation(bytes) {
    const turn = properties(bytes).find(({ kind, begin, end }) => kind === 'irot' && end > begin);
    // quarter turns to the left
    return turn ? [1, 8, 3, 6][bytes[turn.begin] & 3] : 1;
  },
};

/** The brands that a file of this family names; none where it is of another. */
export function brandsOf(bytes: Uint8Array): string[] {
  if (bytes.length < 16 || !hasText(bytes, 4, 'ftyp')) return [];
  const end = Math.min(viewOf(bytes).getUint32(0), bytes.length, 256);
  const brands = [];
  for (let at = 8; at + 4 <= end; at += 4) {
    // the second field is a version
    if (at !== 12) brands.push(String.fromCharCode(...bytes.subarray(at, at + 4)));
  }
  return brands;
}

function properties(bytes: Uint8Array): Box[] {
  const find = (boxes: Box[], kind: string) => boxes.find((box) => box.kind === kind);
  const meta = find(boxesOf(bytes, 0, bytes.length), 'meta');
  const iprp = meta && find(boxesOf(bytes, meta.begin + 4, meta.end), 'iprp');
  const ipco = iprp && find(boxesOf(bytes, iprp.begin, iprp.end), 'ipco');
  return ipco ? boxesOf(bytes, ipco.begin, ipco.end) : [];
}

function boxesOf(bytes: Uint8Array, from: number, to: number): Box[] {
  const view = viewOf(bytes);
  const boxes: Box[] = [];
  for (let at = from; at + 8 <= to && boxes.length < MAX_BOXES; ) {
    const size = view.getUint32(at);
    // 0: to the end; 1: 64 bits, which no picture's boxes need but its data may
    const isLong = size === 1 && at + 16 <= to;
    const length = isLong ? Number(view.getBigUint64(at + 8)) : size === 0 ? to - at : size;
    const begin = at + (isLong ? 16 : 8);
    if (length < begin - at) break;
    boxes.push({
      kind: String.fromCharCode(...bytes.subarray(at + 4, at + 8)),
      begin,
      end: Math.min(at + length, to),
    });
    at += length;
  }
  return boxes;
}
