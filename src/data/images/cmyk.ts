import type { Size } from './format';
import { splitJpeg } from './split-jpeg';
import { decodeInWasm } from './wasm';

/** What Adobe's marker says of four components that are ink; any other transform is luma, chroma and black, as libjpeg has it. */
const INK = 0;

/**
 * Decodes a JPEG of four components as Pillow's `convert('RGB')` does, to the bit: mozjpeg, which has no RGB of CMYK, decodes
 * colours and black as two pictures. All four are taken as inverted (Adobe's habit), profiles are ignored, there as here.
 * @param transform what Adobe's marker says; undefined without it
 */
export async function decodeFourComponents(
  bytes: Uint8Array,
  size: Size,
  transform: number | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  const isYcck = transform !== undefined && transform !== INK;
  const parts = splitJpeg(bytes, isYcck);
  // a copy: what a decoder hands out lies in its memory
  const colours = Uint8Array.from(await decodeInWasm('jpeg', parts.colours, size));
  const gray = await decodeInWasm('jpeg', parts.black, size);
  const count = size.width * size.height;
  const planes = [0, 1, 2, 3].map(() => new Uint8Array(count));
  for (let i = 0; i < count; i++) {
    // libjpeg's CMY of YCCK are 255 less these colours, and inverted once more they are the ink
    for (let c = 0; c < 3; c++) planes[c][i] = isYcck ? colours[i * 4 + c] : 255 - colours[i * 4 + c];
    planes[3][i] = 255 - gray[i * 4];
  }
  return cmykToRgb(planes);
}

/** RGB of planes of cyan, magenta, yellow and black ink, as Pillow's cmyk2rgb: (255 - K) - C (255 - K) / 255. */
export function cmykToRgb(planes: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const black = planes[3];
  const rgb = new Uint8Array(black.length * 3);
  for (let i = 0; i < black.length; i++) {
    const light = 255 - black[i];
    for (let c = 0; c < 3; c++) {
      const product = planes[c][i] * light + 128;
      rgb[i * 3 + c] = light - (((product >> 8) + product) >> 8);
    }
  }
  return rgb;
}
