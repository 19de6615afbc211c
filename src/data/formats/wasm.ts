/** The decoders compiled to WebAssembly, by their file in node_modules. */
export type WasmCodec = 'jpeg' | 'webp';

const IN_NODE: Record<WasmCodec, string> = {
  jpeg: '@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm',
  webp: '@jsquash/webp/codec/dec/webp_dec.wasm',
};

/**
 * The one place where Node and browser differ: a bundle for Node (`SSR` is a constant of the build) reads the file
 * from node_modules, a page fetches it from the URL that the build gave it.
 */
export async function compileCodec(codec: WasmCodec): Promise<WebAssembly.Module> {
  if (import.meta.env.SSR) {
    const { createRequire } = await import('node:module');
    const { readFile } = await import('node:fs/promises');
    return WebAssembly.compile(await readFile(createRequire(import.meta.url).resolve(IN_NODE[codec])));
  }
  const { default: url } =
    codec === 'jpeg'
      ? await import('@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm?url')
      : await import('@jsquash/webp/codec/dec/webp_dec.wasm?url');
  const response = await fetch(url);
  if (!response.ok) throw new Error(`the ${codec} decoder could not be fetched (status ${response.status})`);
  return WebAssembly.compile(await response.arrayBuffer());
}
