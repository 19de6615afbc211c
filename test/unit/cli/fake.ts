/** A context without a process and an engine without a GPU, for tests of the commands. */

import { classFigures } from '../../../src/analysis/class-figures';
import type {
  EngineApi,
  ExportedNetwork,
  Profile,
  RateSearch,
  Report,
  SourceEvaluation,
  TrainJob,
  TrainResult,
} from '../../../src/api';
import type { Context } from '../../../src/cli/command';
import { GPU_TUNING } from '../../../src/graph/tuning';
import { createModel } from '../../../src/model/zoo';
import { fakeAnalysis } from '../../analysis';
import { runSettings } from '../../settings';

export function fakeReport(ok: boolean): Report {
  return {
    date: '2026-01-02T03:04:05.678Z',
    version: '0.1.0',
    settings: runSettings(),
    seed: 0,
    classes: ['a', 'b'],
    network: {
      source: 'net.pth',
      architecture: 'resnet20_cifar',
      args: {},
      publisher: 'akamaster',
      newHead: false,
    },
    sources: { train: ['builtin'] },
    sha256: { in: {}, out: {} },
    accuracy: { base: 0.5, last: 0.6, best: 0.625 },
    best: 1,
    ended: 'finished',
    evaluation: {},
    uncertainty: { images: 64, intervals: { last: [0.4, 0.7], best: [0.5, 0.75] } },
    proof: {
      maxAbsLogitDiff: 1e-6,
      maxRelLogitDiff: ok ? 1e-7 : 0.5,
      top1Agreement: ok ? 1 : 0.25,
      images: 256,
      parameters: [10, 10],
      multiplyAdds: [20, 20],
      ok,
    },
    redundancy: [],
    steps: 2,
    seconds: 1,
    stepMs: 3,
    plan: { dispatches: 4, bytesPerStep: 5, peakBytes: 6 },
    held: { train: { images: 640, held: 640 }, test: { images: 64, held: 64 } },
    adapter: 'fake',
    tuning: GPU_TUNING,
  };
}

const fakeFigure = {
  ms: 2,
  minMs: 1,
  maxMs: 3,
  firstMs: 9,
  jsMs: 0.5,
  reps: 3,
  dispatches: 4,
  submits: 1,
  newBuffers: 0,
  bindGroups: 0,
  peakBytes: 6,
  value: [2.5],
};

const achieved = { ms: 2, bytes: 4e6, flops: 6e6, gigabytes: 2, gigaflops: 3, efficiency: 0.5 };

export const fakeProfile: Profile = {
  name: 'a step',
  adapter: 'fake',
  method: 'waiting',
  runs: 5,
  totals: { dispatches: 1, bytes: 4e6, flops: 6e6, peakBytes: 9e6 },
  rates: { gigabytes: 4, gigaflops: 12, dispatchMs: 0.05 },
  least: { dispatches: 0.05, bytes: 1, flops: 0.5 },
  runMs: 1,
  dispatchMs: 2,
  shaders: [{ shader: 'conv/forward', dispatches: 1, share: 1, ...achieved }],
  kernels: [
    {
      shader: 'conv/forward',
      constants: { BIAS: true, SUMS: 8, NORM: false },
      dispatches: 1,
      compileMs: 1234,
    },
    { shader: 'pool/max_forward', constants: {}, dispatches: 2 },
  ],
  dispatches: [{ shader: 'conv/forward', label: 'conv2d stem', phase: 'forward', ...achieved }],
};

export const fakeExport: ExportedNetwork = {
  bytes: new Uint8Array([8, 8]),
  proof: { maxRelLogitDiff: 1e-7, top1Agreement: 1, images: 8 },
  notes: ['a network'],
};

/** Of the images of b one is told to be an a. */
export const fakeEvaluation: SourceEvaluation = {
  accuracy: 0.75,
  loss: 0.5,
  images: 4,
  ...classFigures(
    [
      [2, 0],
      [3, 1],
      [1, 0],
      [0, 1],
    ].map((row) => Float32Array.from(row)),
    { labels: [0, 0, 1, 1], classes: ['a', 'b'], paths: ['1.png', '2.png', '3.png', '4.png'] },
  ),
  notes: [],
};

/** An engine that records its jobs and answers at once; `parts` replaces single methods. */
export function fakeEngine(parts: Partial<EngineApi> = {}, ok = true): EngineApi & { jobs: TrainJob[] } {
  const jobs: TrainJob[] = [];
  return {
    jobs,
    adapter: async () => 'fake',
    exportOnnx: async () => fakeExport,
    async train(job, onEvent): Promise<TrainResult> {
      jobs.push(job);
      const point = { step: 1, epoch: 1, loss: 2, accuracy: 0.5, lr: 0.05 };
      onEvent?.({ type: 'steps', points: [point], imagesPerSecond: 100, etaSeconds: 1, stepMs: 15 });
      onEvent?.({ type: 'eval', which: 'last', point: { step: 2, epoch: 1, accuracy: 0.6, loss: 1 } });
      const merged = new Uint8Array([1, 2, 3]);
      const files = [{ name: 'labels.txt', bytes: new Uint8Array([4]) }];
      const report = fakeReport(ok);
      return { report, merged, best: merged, files, predictions: {}, metrics: [point], evals: [] };
    },
    async findRate(job, _, onEvent): Promise<RateSearch> {
      jobs.push(job);
      const points = [0.001, 0.01, 0.1].map((lr, i) => ({ lr, loss: 3 - i, smoothed: 3 - i }));
      const step = { step: 1, epoch: 0.1, accuracy: 0.5, ...points[0] };
      onEvent?.({
        type: 'steps',
        points: [step],
        imagesPerSecond: Number.NaN,
        etaSeconds: Number.NaN,
        stepMs: Number.NaN,
      });
      return { points, suggestion: 0.01, reason: 'The loss falls fastest there.', ended: 'finished' };
    },
    analyse: async (_, onEvent) => {
      onEvent?.({ type: 'phase', phase: 'analyse', message: 'Weights', share: 0 });
      return fakeAnalysis;
    },
    pause: async () => {},
    resume: async () => {},
    takeStep: async () => {},
    cancel: async () => {},
    watch: async () => {},
    evaluate: async () => fakeEvaluation,
    predict: async (_, images) => ({
      predictions: images.map(({ path }) => ({ image: path, top: [{ class: 'a', probability: 0.75 }] })),
      notes: [],
    }),
    warmUp: async () => ({ step: { flops: 1e9, ms: 10 } }),
    forecast: () => Promise.reject(new Error('the command line forecasts nothing')),
    verify: async (name) => ({ case: name, op: 'relu', verdict: 'pass', error: 0, tolerance: 1e-5 }),
    bench: async (name) => [{ case: name, ...fakeFigure }],
    profile: async () => fakeProfile,
    sort: async () => ({ weights: [], images: [], pictures: [], runs: [], runFolders: [], ignored: [] }),
    survey: () => Promise.reject(new Error('the command line does not survey')),
    previewBatch: async ({ count = 16 }) => ({
      width: 3,
      height: 2,
      pixels: Uint8Array.from({ length: count * 18 }, (_, i) => i),
      labels: new Array(count).fill('cat'),
      augmentation: 'Augmentation none.',
    }),
    classImages: async () => ({ train: [], test: [] }),
    pictures: async () => [],
    inspect: async () => [
      {
        name: 'conv',
        kind: 'depthwise',
        shape: [4, 1, 3, 3],
        parameters: 36,
        redundancy: { divergence: 0.5, cosine: 0.25, effectiveRank: 3 },
      },
    ],
    tensors: async () => [],
    preview: async () => ({
      model: createModel('resnet20_cifar'),
      classifier: { count: 10, headless: false },
      layers: [],
      redundancy: [],
      grams: new Map(),
      notes: [],
    }),
    ...parts,
  };
}

export interface FakeContext extends Context {
  stdout: string[];
  stderr: string[];
  sessions: { opened: number; closed: number };
}

export function fakeContext(api: EngineApi = fakeEngine()): FakeContext {
  const stdout: string[] = [];
  const stderr: string[] = [];
  const sessions = { opened: 0, closed: 0 };
  return {
    stdout,
    stderr,
    sessions,
    pageFolder: '/nowhere',
    out: (line) => stdout.push(line),
    note: (line) => stderr.push(line),
    progress: () => {},
    async openEngine() {
      sessions.opened++;
      return {
        api,
        close: async () => {
          sessions.closed++;
        },
      };
    },
    onInterrupt: () => () => {},
  };
}
