/** How Vite builds the library: `--mode browser` for bundlers and pages, `--mode node` for Node. See library.mjs. */
import { join } from 'node:path';
import { defineConfig, type Plugin } from 'vite';
import { plainShaders } from './plain-shaders.ts';

const src = (file: string) => join(import.meta.dirname, '..', 'src', file);

/**
 * Leaves `new URL(FILE, import.meta.url)` to who bundles the library: Vite would inline the file, and the worker would
 * become a bundle of its own that no other bundler understands.
 */
const filesBeside: Plugin = {
  name: 'files-beside',
  enforce: 'pre',
  transform: (code) => code.replace(/new URL\((['"][^'"]+['"]),\s*import\.meta\.url\)/g, 'FILE_BESIDE($1)'),
  renderChunk: (code) =>
    code.replace(/FILE_BESIDE\(['"]([^'"]+)['"]\)/g, (_, file: string) => {
      return `new URL('${file.replace(/\.ts$/, '.js')}', import.meta.url)`;
    }),
};

export default defineConfig(({ mode }) => ({
  base: './',
  publicDir: false,
  plugins: [filesBeside, plainShaders()],
  build: {
    outDir: `lib/${mode}`,
    target: mode === 'node' ? 'node20' : 'es2023',
    ssr: mode === 'node',
    minify: false,
    lib: {
      entry: {
        index: src('index.ts'),
        engine: src('engine.ts'),
        ...(mode === 'node'
          ? { node: src('node.ts') }
          : {
              worker: src('worker/worker.ts'),
              'decode-worker': src('data/decode/decode-worker.ts'),
            }),
      },
      formats: ['es'],
    },
    rolldownOptions: { output: { chunkFileNames: '[name].js', assetFileNames: '[name][extname]' } },
  },
}));
