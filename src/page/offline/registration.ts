/** The page's end of its service worker: put in place once the page stands, newer versions told. */
import { signal } from '@preact/signals';

/** What the page says to a service worker. */
export type Question = { ask: 'take over' } | { ask: 'same version?'; script: string };
export interface Answer {
  isSame: boolean;
}

/** The Web Lock that a run in any tab holds. */
const RUN_LOCK = 'refocus-run';

const HOUR_MS = 3_600_000;

/** whether a newer version of the page is there, whose service worker waits for this one to go */
export const isUpdateReady = signal(false);

/** Keeps the page for when there is no network. Without a service worker (some private windows) the page is as ever. */
export async function keepOffline(): Promise<void> {
  if (!('serviceWorker' in navigator)) return;
  // files under development change under the same names
  if (import.meta.env.MODE === 'development') {
    for (const registration of await navigator.serviceWorker.getRegistrations()) registration.unregister();
    return;
  }
  const { Workbox } = await import('workbox-window');
  const workbox = new Workbox(new URL('service-worker.js', document.baseURI).href);
  workbox.addEventListener('waiting', ({ sw }) => sw && told(sw));
  const registration = await workbox.register().catch(() => undefined);
  if (registration) setInterval(() => registration.update().catch(() => {}), HOUR_MS);
}

/** A worker of this very page takes over by itself; one of a newer page is told to the user. */
async function told(worker: ServiceWorker): Promise<void> {
  const { isSame } = await ask(worker);
  if (!isSame) isUpdateReady.value = true;
}

function ask(worker: ServiceWorker): Promise<Answer> {
  const { port1, port2 } = new MessageChannel();
  const question: Question = { ask: 'same version?', script: import.meta.url };
  worker.postMessage(question, [port2]);
  return new Promise((resolve) => {
    port1.onmessage = ({ data }) => resolve(data);
  });
}

/**
 * Takes the newer version: the page is loaded anew.
 * @returns false where a run goes on in some tab, which may still need files of this version
 */
export function takeUpdate(): Promise<boolean> {
  return navigator.locks.request(RUN_LOCK, { ifAvailable: true }, async (lock) => {
    if (!lock) return false;
    // asked now: the one that was told may have given way to a newer one, or have taken over by a click in another tab
    const worker = (await navigator.serviceWorker.getRegistration())?.waiting;
    if (!worker) location.reload();
    else {
      navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true });
      // one that a newer one has replaced by now does not take over
      worker.addEventListener('statechange', () => worker.state === 'redundant' && takeUpdate());
      worker.postMessage({ ask: 'take over' } satisfies Question);
    }
    return true;
  });
}

/** whether a run goes on in some tab */
export async function isRunGoingOn(): Promise<boolean> {
  const { held = [] } = await navigator.locks.query();
  return held.some(({ name }) => name === RUN_LOCK);
}
