/** The engine for the calling thread, `refocus/engine`: a page's, a worker's of one's own, or Node's. */
import type { EngineApi } from './api';
import { Stopped, UserError } from './errors';
import { type Gpu, type RequestAdapter, requestGpu } from './gpu/device';
import { KeptImages } from './run/kept-images';
import { Memo } from './run/memo';
import type { Control } from './train/observer';

export type { RequestAdapter };

export interface EngineOptions {
  /** gives the adapter; default: the browser's own choice */
  requestAdapter?: RequestAdapter;
}

/** The engine, in any context with WebGPU: a worker, a page or Node. Its jobs share one device. */
export function createEngine({ requestAdapter }: EngineOptions = {}): EngineApi {
  const memo = new Memo();
  const kept = new KeptImages();
  let device: Promise<Gpu> | undefined;
  /** settles when no run is being prepared */
  let warming: Promise<unknown> = Promise.resolve();
  let control: (Control & { resume?: () => void }) | undefined;
  let isWatched = false;

  /** One device for all jobs; a new one after a loss or a failed request. */
  const gpu = async (): Promise<Gpu> => {
    if (device && (await device.then((g) => g.failure.error !== undefined).catch(() => true)))
      device = undefined;
    device ??= requestGpu(requestAdapter);
    return device;
  };

  /** One controlled job at a time. */
  const controlled = async <T>(job: (own: Control) => Promise<T>): Promise<T> => {
    if (control) throw new UserError('A run is going on: cancel it first.');
    const own: Control = { cancelled: false, watched: isWatched };
    control = own;
    try {
      return await job(own);
    } finally {
      control = undefined;
    }
  };

  const hold = (running: Control & { resume?: () => void }) => {
    running.paused = new Promise((resolve) => {
      running.resume = resolve;
    });
  };

  // Each job's code comes when it is asked for: the page is there before it.
  return {
    adapter: async () => (await gpu()).name,

    warmUp(job) {
      const goOn = () => {
        if (control) throw new Stopped();
      };
      const done = import('./run/warm-up').then(({ warmUp }) => warmUp(job, { gpu, memo, goOn }));
      warming = Promise.allSettled([warming, done]);
      return done;
    },
    train: (job, emit = () => {}) =>
      controlled(async (own) => {
        const { runTraining } = await import('./run/run');
        return runTraining(job, { gpu, memo, kept, control: own, emit });
      }),

    findRate: (job, options, emit = () => {}) =>
      controlled(async (own) => {
        const { findRate } = await import('./run/find-rate');
        return findRate(job, { gpu, memo, control: own, emit }, options);
      }),

    analyse: (job, emit = () => {}) =>
      controlled(async (own) => {
        const { analyse } = await import('./run/analyse/analyse');
        return analyse(job, { gpu, control: own, emit });
      }),

    async pause() {
      if (control && !control.paused && !control.cancelled) hold(control);
    },

    async takeStep() {
      if (!control?.paused || control.cancelled) return;
      const go = control.resume;
      hold(control);
      go?.();
    },

    async resume() {
      control?.resume?.();
      if (control) control.paused = undefined;
    },

    async watch(isOn) {
      isWatched = isOn;
      if (control) control.watched = isOn;
    },

    async cancel(discard) {
      if (!control) return;
      control.discarded ||= discard === true;
      control.cancelled = true;
      control.resume?.();
      control.paused = undefined;
    },

    async evaluate(source, test, options, emit) {
      const { evaluateSource } = await import('./run/evaluate');
      return evaluateSource(gpu, source, test, options, emit);
    },
    async predict(source, images, options, emit) {
      const { predict } = await import('./run/predict');
      return predict(gpu, source, images, options, emit);
    },
    async exportOnnx(source, options) {
      const { exportNetwork } = await import('./run/export-network');
      return exportNetwork(gpu, source, options);
    },
    async verify(name, golden) {
      const { verifyCase } = await import('./verify');
      return verifyCase(await gpu(), name, golden);
    },
    async bench(name, reps) {
      const { benchCase } = await import('./bench');
      return benchCase(await gpu(), name, reps);
    },
    profile: (target, runs, onProgress = () => {}) =>
      controlled(async (own) => {
        onProgress({ message: 'Waiting for the GPU to be free', done: 0 });
        await warming;
        const { profile } = await import('./bench/profile');
        return profile(await gpu(), target, runs, { control: own, onProgress });
      }),
    async inspect(file, arch) {
      const { inspectFile } = await import('./run/inspect-file');
      return inspectFile([file], arch);
    },
    async tensors(model, names) {
      const { tensorDetails } = await import('./run/tensor-detail');
      return tensorDetails(model, names);
    },
    async sort(files) {
      const { sortFiles } = await import('./run/sort-files');
      return sortFiles(files);
    },
    async survey(sources, settings) {
      const { surveyRun } = await import('./run/survey');
      return surveyRun(sources, settings);
    },
    async previewBatch(job) {
      const { previewBatch } = await import('./run/preview-batch');
      return previewBatch(gpu, job);
    },
    async classImages(sources, settings, of) {
      const { classImages } = await import('./run/survey');
      return classImages(sources, settings, of);
    },
    async pictures(source, images, options) {
      const { pictureImages } = await import('./run/survey');
      return pictureImages(source, images, options);
    },
    async forecast(job) {
      const { forecastJob } = await import('./run/forecast-job');
      return forecastJob(job, await gpu().catch(() => undefined));
    },
    async preview(model) {
      const { previewNetwork } = await import('./run/inspect');
      return previewNetwork(model);
    },
  };
}
