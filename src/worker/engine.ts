import { UserError } from '../errors';
import type { EngineApi } from './api';

export interface EngineOptions {
  /** the adapter to use; default `navigator.gpu.requestAdapter()` */
  requestAdapter?: () => Promise<GPUAdapter | null>;
  /** reads a file of public/ by its name, for example the built-in network */
  asset: (name: string) => Promise<ArrayBuffer>;
}

/** The engine, in any context with WebGPU: a worker, a page or Node. */
export function createEngine(_options: EngineOptions): EngineApi {
  const missing = () => Promise.reject(new UserError('The engine is not built yet.'));
  return {
    adapter: missing,
    train: missing,
    pause: missing,
    resume: missing,
    cancel: missing,
    evaluate: missing,
    verify: missing,
    inspect: missing,
  };
}
