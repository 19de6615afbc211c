import { type BundledFile, readBundled } from '../../io/bundled';
import { ImageError, type Size } from './format';

type WasmCodec = 'jpeg' | 'webp' | 'avif';

/** The decoders compiled to WebAssembly. */
const WASM: Record<WasmCodec, BundledFile> = {
  jpeg: {
    inNode: '@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm',
    url: () => import('@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm?url&no-inline'),
  },
  webp: {
    inNode: '@jsquash/webp/codec/dec/webp_dec.wasm',
    url: () => import('@jsquash/webp/codec/dec/webp_dec.wasm?url&no-inline'),
  },
  avif: {
    inNode: '@jsquash/avif/codec/dec/avif_dec.wasm',
    url: () => import('@jsquash/avif/codec/dec/avif_dec.wasm?url&no-inline'),
  },
};

interface Codec {
  name: string;
  init(module: WebAssembly.Module): Promise<unknown>;
  decode(data: ArrayBuffer): Promise<{ data: ArrayLike<number>; width: number; height: number }>;
}

/** The packages' declarations leave out the form with a compiled module, which their README names. */
type InitCodec = (module: WebAssembly.Module, options: { printErr: () => void }) => Promise<unknown>;

const QUIET = { printErr: () => {} };

const CODECS: Record<WasmCodec, () => Promise<Codec>> = {
  async jpeg() {
    const { default: decode, init } = await import('@jsquash/jpeg/decode.js');
    return {
      name: 'JPEG',
      init: (module) => (init as InitCodec)(module, QUIET),
      decode: async (data) => decode(data, { preserveOrientation: false }),
    };
  },
  async webp() {
    const { default: decode, init } = await import('@jsquash/webp/decode.js');
    return { name: 'WebP', init: (module) => (init as InitCodec)(module, QUIET), decode };
  },
  async avif() {
    const { default: decode, init } = await import('@jsquash/avif/decode.js');
    return {
      name: 'AVIF',
      init: async (module) => (init as unknown as InitCodec)(module, QUIET),
      decode: async (data) => {
        const image = await decode(data);
        if (!image) throw new Error('no image');
        return image;
      },
    };
  },
};

interface LoadedCodec {
  codec: Codec;
  module: WebAssembly.Module;
  /** an instance of it is there */
  isReady: boolean;
}

const loaded = new Map<WasmCodec, Promise<LoadedCodec>>();

async function load(kind: WasmCodec): Promise<LoadedCodec> {
  try {
    // the module first: it tells in words where there is no connection
    const bytes = await readBundled(WASM[kind]);
    const [codec, module] = await Promise.all([CODECS[kind](), WebAssembly.compile(bytes)]);
    return { codec, module, isReady: false };
  } catch (error) {
    // another image may find the connection again
    loaded.delete(kind);
    throw error;
  }
}

/** RGBA of an image of that size. Throws an ImageError if the decoder gives up or finds another size. */
export async function decodeInWasm(
  kind: WasmCodec,
  bytes: Uint8Array<ArrayBuffer>,
  { width, height }: Size,
): Promise<ArrayLike<number>> {
  const loading = loaded.get(kind) ?? load(kind);
  loaded.set(kind, loading);
  const state = await loading;
  if (!state.isReady) {
    await state.codec.init(state.module);
    state.isReady = true;
  }
  let image: Awaited<ReturnType<Codec['decode']>>;
  try {
    const exact = bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer;
    image = await state.codec.decode(exact);
  } catch {
    // a decoder that gave up may have left its memory in any state: the next image gets a fresh one
    state.isReady = false;
    throw new ImageError(`the ${state.codec.name} is damaged`);
  }
  if (image.width !== width || image.height !== height)
    throw new ImageError('its header is wrong about its size');
  return image.data;
}
