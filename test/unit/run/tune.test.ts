import { afterEach, describe, expect, test, vi } from 'vitest';
import { GPU_TUNING, type Tuning } from '../../../src/graph/tuning';
import { initialState } from '../../../src/model/init';
import { createModel } from '../../../src/model/zoo';
import { autotune, canRun, tuningKey } from '../../../src/run/tune';
import { fakeGpu } from '../fake-gpu';
import { fakeNetwork, tinyTraining } from '../fake-network';

afterEach(() => void vi.restoreAllMocks());

describe('what a remembered tuning holds for', () => {
  const key = (...change: Parameters<typeof tinyTraining>) => tuningKey(fakeGpu(), tinyTraining(...change));

  test('is the device, the step and the storage', () => {
    const plain = key();
    expect(key({ seed: 9, lr: 1, epochs: 7 })).toBe(plain);
    expect(key({ storage: 'f16' })).not.toBe(plain);
    expect(key({ batch: 8 })).not.toBe(plain);
    expect(key({ optimizer: 'adamw', clipNorm: 1 })).not.toBe(plain);
    expect(tuningKey({ ...fakeGpu(), name: 'another GPU' }, tinyTraining())).not.toBe(plain);
    const model = createModel('resnet20_cifar', { classes: 3 });
    const other = { ...tinyTraining(), model, start: initialState(model, 1) };
    expect(tuningKey(fakeGpu(), other)).not.toBe(plain);
  });

  test('is not the number of images: the step is the same', () => {
    const training = tinyTraining();
    const fewer = { ...training, train: { ...training.train, count: 9 } };
    expect(tuningKey(fakeGpu(), fewer)).toBe(tuningKey(fakeGpu(), training));
  });
});

test('a tuning by subgroups is for devices that share quads', async () => {
  expect(await canRun(fakeGpu(), GPU_TUNING)).toBe(true);
  expect(await canRun(fakeGpu(), { ...GPU_TUNING, subgroups: true })).toBe(false);
});

describe('autotune', () => {
  /** Times that the clock gives to the steps of one way after another; the first step of each takes longer. */
  async function tunedBy(costs: number[]) {
    let now = 0;
    let passes = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    const network = fakeNetwork();
    const gpu = fakeGpu((dispatches) => {
      network.compute(dispatches);
      // four steps a way: one that warms up, three that count
      now += costs[Math.floor(passes / 4)] * (passes % 4 === 0 ? 10 : 1 + (passes % 4 === 2 ? 0 : 0.25));
      passes++;
    });
    const progress: string[] = [];
    const timed = await autotune(gpu, tinyTraining(), (done, of) => progress.push(`${done}/${of}`));
    return { timed, progress, gpu, batches: network.batches };
  }
  const { sums, threads } = GPU_TUNING;
  const way = (change: Partial<Tuning>): Tuning => ({ ...GPU_TUNING, ...change });

  test('tries each choice beside the fastest so far, and gives the fastest first', async () => {
    const { timed, progress, gpu, batches } = await tunedBy([10, 8, 12, 9, 7, 11, 6]);
    expect(timed).toEqual([
      { tuning: way({ sums: sums / 2, threads: threads * 4, workgroupMemory: true }), ms: 6 },
      { tuning: way({ sums: sums / 2, threads: threads * 4 }), ms: 7 },
      { tuning: way({ sums: sums / 2 }), ms: 8 },
      { tuning: way({ sums: sums / 2, threads: threads / 4 }), ms: 9 },
      { tuning: way({}), ms: 10 },
      { tuning: way({ sums: sums / 2, threads: threads * 4, sharedSplits: 1 }), ms: 11 },
      { tuning: way({ sums: sums * 2 }), ms: 12 },
    ]);
    expect(progress).toEqual(['1/7', '2/7', '3/7', '4/7', '5/7', '6/7', '7/7']);
    expect(gpu.leaks()).toEqual([]);
    expect(batches).toHaveLength(28);
    // a step that learns nothing: its weights are thrown away
    for (const batch of batches) expect(batch).toMatchObject({ program: 'train', rows: 4, lr: 0 });
  });

  test('stays where the device’s own way is the fastest', async () => {
    const { timed } = await tunedBy([1, 2, 2, 2, 2, 2, 2]);
    expect(timed[0]).toEqual({ tuning: GPU_TUNING, ms: 1 });
    expect(timed.map(({ tuning }) => tuning)).toContainEqual(way({ workgroupMemory: true }));
    expect(timed.map(({ tuning }) => tuning)).toContainEqual(way({ threads: threads / 4 }));
  });

  test('ends with the device', async () => {
    let lose = () => {};
    const network = fakeNetwork({
      metrics: () => {
        lose();
        return [0, 0];
      },
    });
    const gpu = fakeGpu(network.compute);
    lose = gpu.lose;
    await expect(autotune(gpu, tinyTraining(), () => {})).rejects.toThrow();
    expect(gpu.leaks()).toEqual([]);
  });
});
