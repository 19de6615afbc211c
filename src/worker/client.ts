/** The page's end of the engine's worker. */
import * as Comlink from 'comlink';
import { UserError } from '../errors';
import type { EngineApi } from './api';

interface ThrownError {
  isError: boolean;
  value: { name?: string; message?: string };
}

// Comlink turns every thrown error into a plain Error; a UserError stays one by its name.
const thrown = Comlink.transferHandlers.get('throw') as Comlink.TransferHandler<unknown, ThrownError>;
Comlink.transferHandlers.set('throw', {
  ...thrown,
  deserialize(serialized: ThrownError) {
    if (serialized.isError && serialized.value.name === 'UserError')
      throw new UserError(serialized.value.message);
    return thrown.deserialize(serialized);
  },
});

/** The engine in a new worker. `terminate` ends the worker and whatever it runs. */
export interface EngineConnection {
  api: Comlink.Remote<EngineApi>;
  terminate(): void;
}

/**
 * Starts the engine's worker.
 * @param assets address below which the files of public/ lie; default the page's own base
 */
export function connectEngine(
  assets: string = new URL(import.meta.env.BASE_URL, document.baseURI).href,
): EngineConnection {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: assets });
  return { api: Comlink.wrap<EngineApi>(worker), terminate: () => worker.terminate() };
}
