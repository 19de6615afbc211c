import type { Plugin } from 'vite';

/** What the page may load and ask: its own files, and what it makes itself. Decoders of images are WebAssembly. */
const policy = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "img-src 'self' blob: data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** The built page carries a content security policy, wherever it is served from. Vite's own server needs inline styles. */
export const contentPolicy = (): Plugin => ({
  name: 'content-policy',
  apply: 'build',
  transformIndexHtml: (_html, { path }) =>
    path === '/index.html'
      ? [
          {
            tag: 'meta',
            attrs: { 'http-equiv': 'Content-Security-Policy', content: policy },
            injectTo: 'head-prepend',
          },
        ]
      : [],
});
