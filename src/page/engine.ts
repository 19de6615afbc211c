/** The page's one engine, and what every failure of it looks like to the user. */
import { signal } from '@preact/signals';
import { NoWebGpu, UserError } from '../errors';
import { connectEngine, type EngineConnection } from '../worker/client';
import { inFormWords } from './settings/form-words';

let connection: EngineConnection | undefined;

/** The engine; its worker starts at the first call, and anew after a failure. */
export function engine(): EngineConnection['api'] {
  connection ??= connectEngine({ onFailure: replaceEngine });
  return connection.api;
}

/** Ends the engine's worker, with whatever it runs; the next call starts another. */
export function replaceEngine(): void {
  connection?.terminate();
  connection = undefined;
}

export type Adapter =
  | { state: 'asking' }
  | { state: 'ready'; name: string }
  /** `isWebGpu`: the browser gives no GPU; else the engine itself did not come */
  | { state: 'missing'; why: string; isWebGpu: boolean };

export const adapter = signal<Adapter>({ state: 'asking' });

/** Asks which adapter there is; without one the page explains and stays readable. */
export async function askAdapter(): Promise<void> {
  try {
    adapter.value = { state: 'ready', name: await engine().adapter() };
  } catch (error) {
    adapter.value = { state: 'missing', why: explain(error), isWebGpu: error instanceof NoWebGpu };
  }
}

/** A UserError's own sentence; anything else is a fault of ours and says so. */
export function explain(error: unknown): string {
  if (error instanceof UserError) return inFormWords(error.message);
  const message = error instanceof Error ? error.message : String(error);
  return `Refocus failed unexpectedly (${message}). Reload the page; if it happens again, report it.`;
}
