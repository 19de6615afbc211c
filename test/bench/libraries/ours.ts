import { benchJob } from '../../../src/bench/jobs';
import { type Gpu, requestGpu } from '../../../src/gpu/device';
import { deviceRates } from '../../../src/runtime/profiler';
import type { Library } from './library';

let gpu: Gpu;

export const ours: Library = {
  async start() {
    gpu = await requestGpu();
  },
  job: (c) => benchJob(gpu, c),
  rates: () => deviceRates(gpu),
};
