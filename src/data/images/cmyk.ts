import { orDamaged, type Size } from './format';

/** A JPEG of four components, as its header has them: CMYK, or YCCK (luma, chroma and black) by Adobe's marker. */
export interface FourComponents extends Size {
  components: { h: number; v: number }[];
  /** what Adobe's marker says; undefined without it */
  transform?: number;
}

/** One component's samples, at the resolution that the file keeps them in. */
interface Plane extends Size {
  samples: Uint8Array;
}

const YCCK = 2;
/** the number of JPEG among TIFF's compressions */
const TIFF_JPEG = 7;

/**
 * Decodes it as Pillow's `convert('RGB')` does: chroma and other coarse planes are smoothed as libjpeg smooths them, YCCK
 * becomes CMYK, all four are taken as inverted (Adobe's habit), and RGB is what black leaves of the inverted colours.
 * Profiles are ignored, there as here.
 */
export async function decodeFourComponents(
  bytes: Uint8Array<ArrayBuffer>,
  { width, height, components, transform }: FourComponents,
): Promise<Uint8Array<ArrayBuffer>> {
  const raw = await rawComponents(bytes);
  const most = { h: Math.max(...components.map(({ h }) => h)), v: Math.max(...components.map(({ v }) => v)) };
  const planes = components.map(({ h, v }, i) => {
    const plane = ownResolution(raw, i, { width, height }, h / most.h, v / most.v);
    return enlarge(plane, { width, height }, most.h / h, most.v / v);
  });
  return toRgb(planes, transform === YCCK);
}

/** Samples of all components at full resolution, each repeated as often as its plane is coarser: 4 bytes a pixel. */
async function rawComponents(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  // geotiff's JPEG decoder leaves the colours as the file has them
  const { getDecoder } = await import('geotiff');
  const decoder = (await getDecoder(TIFF_JPEG, {} as never)) as unknown as {
    decodeBlock(data: ArrayBuffer): ArrayBuffer;
  };
  return orDamaged('JPEG', () => new Uint8Array(decoder.decodeBlock(bytes.slice().buffer)));
}

/** Takes the repetition back: the sample of pixel x is that of column floor(x * scale). */
function ownResolution(
  raw: Uint8Array,
  component: number,
  full: Size,
  scaleX: number,
  scaleY: number,
): Plane {
  const width = Math.ceil(full.width * scaleX);
  const height = Math.ceil(full.height * scaleY);
  const samples = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const row = Math.min(full.height - 1, Math.ceil(y / scaleY)) * full.width;
    for (let x = 0; x < width; x++) {
      const column = Math.min(full.width - 1, Math.ceil(x / scaleX));
      samples[y * width + x] = raw[(row + column) * 4 + component];
    }
  }
  return { samples, width, height };
}

/** libjpeg's upsampling (jdsample.c): a triangle for halves across or both ways, plain repetition for all else. */
function enlarge(plane: Plane, full: Size, timesX: number, timesY: number): Uint8Array {
  const smooth = plane.width > 2 && timesX === 2;
  if (smooth && timesY === 1) return enlargeAcross(plane, full);
  if (smooth && timesY === 2) return enlargeBoth(plane, full);
  const out = new Uint8Array(full.width * full.height);
  for (let y = 0; y < full.height; y++) {
    const from = Math.floor(y / timesY) * plane.width;
    for (let x = 0; x < full.width; x++) {
      out[y * full.width + x] = plane.samples[from + Math.floor(x / timesX)];
    }
  }
  return out;
}

/** Each sample becomes two, three quarters its own and a quarter the nearer neighbour's. */
function enlargeAcross({ samples, width, height }: Plane, full: Size): Uint8Array {
  const out = new Uint8Array(full.width * full.height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < full.width; x++) {
      const i = x >> 1;
      const near = samples[y * width + i];
      const other = x % 2 === 0 ? i - 1 : i + 1;
      const far = other < 0 || other >= width ? near : samples[y * width + other];
      out[y * full.width + x] = (3 * near + far + (x % 2 === 0 ? 1 : 2)) >> 2;
    }
  }
  return out;
}

/** The same down, then across, rounded once. */
function enlargeBoth({ samples, width, height }: Plane, full: Size): Uint8Array {
  const out = new Uint8Array(full.width * full.height);
  const sums = new Int32Array(width);
  for (let y = 0; y < full.height; y++) {
    const near = (y >> 1) * width;
    const far = Math.min(height - 1, Math.max(0, (y >> 1) + (y % 2 === 0 ? -1 : 1))) * width;
    for (let x = 0; x < width; x++) sums[x] = 3 * samples[near + x] + samples[far + x];
    for (let x = 0; x < full.width; x++) {
      const i = x >> 1;
      const other = Math.min(width - 1, Math.max(0, x % 2 === 0 ? i - 1 : i + 1));
      out[y * full.width + x] = (3 * sums[i] + sums[other] + (x % 2 === 0 ? 8 : 7)) >> 4;
    }
  }
  return out;
}

/** The file's values are inverted ones, 255 for no ink; YCCK's luma and chroma are inverted once more, and so are the ink. */
function toRgb([first, second, third, black]: Uint8Array[], isYcck: boolean): Uint8Array<ArrayBuffer> {
  const inks = [first, second, third].map((plane) => plane.map((value) => 255 - value));
  if (isYcck) {
    for (let i = 0; i < first.length; i++) {
      const cmy = yccToRgb(first[i], second[i], third[i]);
      for (let c = 0; c < 3; c++) inks[c][i] = cmy[c];
    }
  }
  return cmykToRgb([...inks, black.map((value) => 255 - value)]);
}

/** libjpeg's ycck_cmyk_convert (jdcolor.c), without its last step: C, M, Y are 255 less these. */
function yccToRgb(y: number, cb: number, cr: number): number[] {
  const [u, v] = [cb - 128, cr - 128];
  const red = (91881 * v + 32768) >> 16;
  const green = (-22554 * u - 46802 * v + 32768) >> 16;
  const blue = (116130 * u + 32768) >> 16;
  return [y + red, y + green, y + blue].map((value) => Math.min(255, Math.max(0, value)));
}

/** RGB of planes of cyan, magenta, yellow and black ink, as Pillow's cmyk2rgb: (255 - K) - C (255 - K) / 255. */
export function cmykToRgb([cyan, magenta, yellow, black]: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const rgb = new Uint8Array(cyan.length * 3);
  for (let i = 0; i < cyan.length; i++) {
    const light = 255 - black[i];
    for (const [c, ink] of [cyan[i], magenta[i], yellow[i]].entries()) {
      const product = ink * light + 128;
      rgb[i * 3 + c] = light - (((product >> 8) + product) >> 8);
    }
  }
  return rgb;
}
