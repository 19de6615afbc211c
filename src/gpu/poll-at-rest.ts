/** How often Dawn asks for its results where the processor is the GPU, ms. */
const POLL_MS = 1;
let pollsAtRest = false;

/**
 * While a result is awaited Dawn asks for it at every turn of the event loop, by the global `setImmediate`, which keeps a core
 * busy: one that a software adapter draws with. From now on it asks by a timer. Dawn's callback is told from others as a
 * nameless function of native code that has a prototype (a promise's `resolve` has none).
 */
export function pollAtRest(): void {
  if (pollsAtRest) return;
  pollsAtRest = true;
  const setImmediate = globalThis.setImmediate;
  const isDawns = (callback: (...args: unknown[]) => void) =>
    callback.name === '' && Object.hasOwn(callback, 'prototype') && /\[native code\]/.test(String(callback));
  globalThis.setImmediate = Object.assign(
    (callback: (...args: unknown[]) => void, ...args: unknown[]) =>
      isDawns(callback) ? setTimeout(callback, POLL_MS, ...args) : setImmediate(callback, ...args),
    setImmediate,
  ) as unknown as typeof globalThis.setImmediate;
}
