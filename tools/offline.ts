/** What makes the built page installable, and lets it work without the network that it was loaded from. */
import type { Plugin } from 'vite';
import { VitePWA } from 'vite-plugin-pwa';

/** The manifest, and the service worker of src/page/offline with the list of the page's files. */
export const offline = (): Plugin[] =>
  VitePWA({
    strategies: 'injectManifest',
    srcDir: 'src/page/offline',
    filename: 'service-worker.ts',
    // the page registers it, once it stands
    injectRegister: null,
    integration: {
      // a build of its own, which would print; with this Vite's name for what the plugin asks of it
      configureCustomSWViteBuild(options) {
        options.logLevel = 'error';
        Object.assign(options.build!.rollupOptions!.output!, {
          inlineDynamicImports: undefined,
          codeSplitting: false,
        });
      },
    },
    injectManifest: {
      globPatterns: ['**/*.{html,js,css,wasm,safetensors,svg,png}'],
      globIgnores: ['src/cli/**', 'assets/headless-*'],
      maximumFileSizeToCacheInBytes: 32 * 2 ** 20,
    },
    manifest: {
      name: 'Refocus',
      short_name: 'Refocus',
      description: 'Train small convolutional networks with RefConv in the browser, on WebGPU.',
      lang: 'en',
      start_url: './',
      scope: './',
      display: 'standalone',
      background_color: '#e9eeec',
      theme_color: '#0e7c6b',
      categories: ['education', 'productivity'],
      icons: [
        { src: 'icon.svg', sizes: 'any', type: 'image/svg+xml' },
        { src: 'icon-192.png', sizes: '192x192', type: 'image/png' },
        { src: 'icon-512.png', sizes: '512x512', type: 'image/png' },
        { src: 'icon-maskable-512.png', sizes: '512x512', type: 'image/png', purpose: 'maskable' },
      ],
    },
  });
