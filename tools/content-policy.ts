import type { Plugin } from 'vite';
import { CONTENT_POLICY } from '../src/cli/hosts/page-headers.ts';

/** Beside what it may load: no text becomes markup or code but through the page's one policy (src/page/trusted-types.ts). */
const policy = `${CONTENT_POLICY}; require-trusted-types-for 'script'; trusted-types default`;

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
