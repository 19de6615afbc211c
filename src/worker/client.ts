/** The page's end of the engine's worker. */
import * as Comlink from 'comlink';
import type { EngineApi } from '../api';
import { UserError } from '../errors';
import { EngineFailure } from './go-on';
import './thrown';

/** The engine in a new worker. `terminate` ends the worker and whatever it runs. */
export interface EngineConnection {
  api: EngineApi;
  terminate(): void;
}

export interface ConnectOptions {
  /** called once when the worker is past use: what was asked of it fails, and a new connection is needed */
  onFailure?: () => void;
}

/** Starts the engine's worker. Calls reject when it does not load or fails outside a call; they never wait forever. */
export function connectEngine({ onFailure }: ConnectOptions = {}): EngineConnection {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  const failure = failureOf(worker);
  failure.catch(() => onFailure?.());
  const remote = Comlink.wrap<EngineApi>(worker);
  const api = new Proxy(remote as unknown as EngineApi, {
    get: (target, method: keyof EngineApi) => {
      const call = target[method] as (...args: unknown[]) => Promise<unknown>;
      return (...args: unknown[]) => Promise.race([call(...args.map(crossing)), failure]);
    },
  });
  return { api, terminate: () => worker.terminate() };
}

/** A callback cannot be copied to a worker: it stays, and the worker calls it by message. */
const crossing = (argument: unknown): unknown =>
  typeof argument === 'function' ? Comlink.proxy(argument) : argument;

/** Rejects when the worker breaks; Comlink itself would leave its calls pending. */
function failureOf(worker: Worker): Promise<never> {
  return new Promise((_, reject) => {
    worker.addEventListener('error', (event) => {
      // a script that cannot be loaded has no message
      const missing = new UserError(
        "The engine's worker did not load: check the connection and reload the page.",
      );
      reject(event.message ? new EngineFailure(event.message) : missing);
    });
    worker.addEventListener('messageerror', () =>
      reject(new EngineFailure('a message of the engine could not be read')),
    );
  });
}
