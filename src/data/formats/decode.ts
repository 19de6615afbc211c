import decodeJpeg, { init as initJpeg } from '@jsquash/jpeg/decode.js';
import decodeWebp, { init as initWebp } from '@jsquash/webp/decode.js';
import { ImageError, readImageHeader } from './image-header';
import { decodePng } from './png';
import { compileCodec, type WasmCodec } from './wasm';

/** A decoded image: height * width * 3 bytes, RGB, row by row. */
export interface RgbImage {
  pixels: Uint8Array<ArrayBuffer>;
  width: number;
  height: number;
}

/**
 * Decodes a JPEG, PNG or WebP to 8-bit RGB with the same code in browser and Node, to the bytes that Pillow's
 * `Image.open(f).convert('RGB')` gives. As there, EXIF orientation and colour profiles are ignored. Throws an
 * ImageError with the reason.
 */
export async function decodeImage(bytes: Uint8Array<ArrayBuffer>): Promise<RgbImage> {
  const { format, width, height } = readImageHeader(bytes);
  if (format === 'png') return { pixels: decodePng(bytes), width, height };
  const image = await decodeInWasm(format, bytes);
  if (image.width !== width || image.height !== height)
    throw new ImageError('its header is wrong about its size');
  return { pixels: dropAlpha(image.data), width, height };
}

const CODECS = {
  jpeg: {
    init: initJpeg as InitCodec,
    decode: (data: ArrayBuffer) => decodeJpeg(data, { preserveOrientation: false }),
  },
  webp: { init: initWebp as InitCodec, decode: (data: ArrayBuffer) => decodeWebp(data) },
};

/** The packages' declarations leave out the form with a compiled module, which their README names. */
type InitCodec = (module: WebAssembly.Module, options: { printErr: () => void }) => Promise<void>;

const compiled = new Map<WasmCodec, Promise<WebAssembly.Module>>();
const ready = new Set<WasmCodec>();

async function decodeInWasm(codec: WasmCodec, bytes: Uint8Array<ArrayBuffer>): Promise<ImageData> {
  let module = compiled.get(codec);
  if (!module) {
    module = compileCodec(codec);
    compiled.set(codec, module);
  }
  const { init, decode } = CODECS[codec];
  if (!ready.has(codec)) {
    await init(await module, { printErr: () => {} });
    ready.add(codec);
  }
  try {
    const exact = bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer;
    return await decode(exact);
  } catch {
    // a decoder that gave up may have left its memory in any state: the next image gets a fresh one
    ready.delete(codec);
    throw new ImageError(`the ${codec === 'jpeg' ? 'JPEG' : 'WebP'} is damaged`);
  }
}

function dropAlpha(rgba: Uint8ClampedArray): Uint8Array<ArrayBuffer> {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    rgb[to] = rgba[from];
    rgb[to + 1] = rgba[from + 1];
    rgb[to + 2] = rgba[from + 2];
  }
  return rgb;
}
