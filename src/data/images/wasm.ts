import { ImageError, type Size } from './format';

/** The decoders compiled to WebAssembly, by their file in node_modules. */
type WasmCodec = 'jpeg' | 'webp' | 'avif';

const IN_NODE: Record<WasmCodec, string> = {
  jpeg: '@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm',
  webp: '@jsquash/webp/codec/dec/webp_dec.wasm',
  avif: '@jsquash/avif/codec/dec/avif_dec.wasm',
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

/** Of each codec its compiled module, and whether an instance of it is there. */
const loaded = new Map<WasmCodec, Promise<{ codec: Codec; module: WebAssembly.Module; isReady: boolean }>>();

/** RGBA of an image of that size. Throws an ImageError if the decoder gives up or finds another size. */
export async function decodeInWasm(
  kind: WasmCodec,
  bytes: Uint8Array<ArrayBuffer>,
  { width, height }: Size,
): Promise<ArrayLike<number>> {
  let loading = loaded.get(kind);
  if (!loading) {
    loading = Promise.all([CODECS[kind](), compileCodec(kind)]).then(([codec, module]) => ({
      codec,
      module,
      isReady: false,
    }));
    loaded.set(kind, loading);
  }
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

/**
 * The one place where Node and browser differ: a bundle for Node (`SSR` is a constant of the build) reads the file
 * from node_modules, a page fetches it from the URL that the build gave it.
 */
async function compileCodec(codec: WasmCodec): Promise<WebAssembly.Module> {
  if (import.meta.env.SSR) {
    const { createRequire } = await import('node:module');
    const { readFile } = await import('node:fs/promises');
    return WebAssembly.compile(await readFile(createRequire(import.meta.url).resolve(IN_NODE[codec])));
  }
  const response = await fetch(await urlOf(codec));
  if (!response.ok) throw new Error(`the ${codec} decoder could not be fetched (status ${response.status})`);
  return WebAssembly.compile(await response.arrayBuffer());
}

async function urlOf(codec: WasmCodec): Promise<string> {
  if (codec === 'jpeg') return (await import('@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm?url')).default;
  if (codec === 'webp') return (await import('@jsquash/webp/codec/dec/webp_dec.wasm?url')).default;
  return (await import('@jsquash/avif/codec/dec/avif_dec.wasm?url')).default;
}
