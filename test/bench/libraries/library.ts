import type { BenchCase } from '../../../src/bench/cases';
import type { Job } from '../../../src/bench/measure';
import type { DeviceRates } from '../../../src/runtime/profiler';

/** A library under measurement; each does the same cases on the same numbers, in the layout that it prefers. */
export interface Library {
  /** makes its device */
  start(): Promise<void>;
  /** a case, ready to run, its inputs on the device */
  job(c: BenchCase): Promise<Job>;
  /** what the device reaches; of ours alone, whose plans count bytes and operations */
  rates?(): Promise<DeviceRates>;
}

/** Whom `--peers` can name, and how the report calls them. */
export const LIBRARIES = {
  ours: { title: 'Refocus', load: async (): Promise<Library> => (await import('./ours')).ours },
  tfjs: { title: 'TensorFlow.js', load: async (): Promise<Library> => (await import('./tfjs')).tfjs },
  jaxjs: { title: 'jax-js', load: async (): Promise<Library> => (await import('./jaxjs')).jaxjs },
};

export type LibraryName = keyof typeof LIBRARIES;

export const round = (v: number): number => Number(v.toFixed(5));

/** Rows of ones at the labels, `[batch, classes]`. */
export function oneHot(labels: Uint32Array, classes: number): Float32Array<ArrayBuffer> {
  const rows = new Float32Array(labels.length * classes);
  labels.forEach((label, i) => {
    rows[i * classes + label] = 1;
  });
  return rows;
}
