/**
 * The page without a network: all its files are kept when it is first opened. A document comes from where it is served as
 * long as that answers, so that nobody is held on an old version; its scripts have their content in their names, and
 * come from here.
 */
import { createHandlerBoundToURL, getCacheKeyForURL, precacheAndRoute } from 'workbox-precaching';
import { NavigationRoute, registerRoute } from 'workbox-routing';
import type { Answer, Question } from './registration';

declare const self: ServiceWorkerGlobalScope & {
  /** the files of the build, put in by it */
  __WB_MANIFEST: { url: string; revision: string | null }[];
};

/** A server that has not answered by then counts as none. */
const PATIENCE_MS = 5000;

const manifest = self.__WB_MANIFEST;
const { pathname } = new URL(self.registration.scope);

registerRoute(
  new NavigationRoute(
    async (options) => {
      try {
        const response = await fetch(options.request, { signal: AbortSignal.timeout(PATIENCE_MS) });
        if (response.status < 500) return response;
      } catch {
        // no answer: the kept one
      }
      return createHandlerBoundToURL('index.html')(options);
    },
    {
      allowlist: [new RegExp(`^${pathname.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(index\\.html)?(\\?.*)?$`)],
    },
  ),
);
precacheAndRoute(manifest);

self.addEventListener('message', (event) => {
  const question = event.data as Question;
  if (question.ask === 'take over') event.waitUntil(self.skipWaiting());
  else event.waitUntil(answer(question.script, event.ports[0]));
});

/** Whether this is the version of the page that asks; if so, and no other page is open, it takes over at once. */
async function answer(script: string, port: MessagePort): Promise<void> {
  const isSame = getCacheKeyForURL(script) !== undefined;
  port.postMessage({ isSame } satisfies Answer);
  const pages = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  if (isSame && pages.length === 1) await self.skipWaiting();
}

// what is open already works without a network from the first visit on
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
