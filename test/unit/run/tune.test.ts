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
  /** The clock gives the steps of one timing after another what they cost; the first step of each takes longer. */
  async function tunedBy(costs: number[], first = 2) {
    let now = 0;
    let timing = 0;
    let isFirst = true;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    const network = fakeNetwork();
    const gpu = fakeGpu((dispatches) => {
      network.compute(dispatches);
      now += costs[Math.min(timing, costs.length) - 1] * (isFirst ? first : 1);
      isFirst = false;
    });
    const progress: string[] = [];
    const timed = await autotune(gpu, tinyTraining(), (done, of) => {
      progress.push(`${done}/${of}`);
      timing = done;
      isFirst = true;
    });
    return { timed, progress, gpu, batches: network.batches, now };
  }
  const { sums, threads } = GPU_TUNING;
  const way = (change: Partial<Tuning>): Tuning => ({ ...GPU_TUNING, ...change });

  test('times the better half again and again, with what was better by itself together', async () => {
    const { timed, progress, gpu, batches } = await tunedBy([
      ...[10, 8, 12, 14, 7, 11, 13],
      ...[7, 8, 9, 11, 6],
      ...[6, 7, 8],
      ...[5, 7],
    ]);
    expect(timed).toEqual([
      { tuning: way({ sums: sums / 2, threads: threads * 4 }), ms: 5 },
      { tuning: way({ threads: threads * 4 }), ms: 7 },
      { tuning: way({ sums: sums / 2 }), ms: 8 },
      { tuning: way({}), ms: 9 },
      { tuning: way({ threads: threads / 4 }), ms: 11 },
      { tuning: way({ workgroupMemory: true }), ms: 12 },
      { tuning: way({ sharedSplits: 1 }), ms: 13 },
      { tuning: way({ sums: sums * 2 }), ms: 14 },
    ]);
    expect(progress).toEqual(Array.from({ length: 17 }, (_, i) => `${i + 1}/17`));
    expect(gpu.leaks()).toEqual([]);
    // one step more a timing, which does not count
    expect(batches).toHaveLength(7 * 5 + 5 * 9 + 3 * 17 + 2 * 33);
    // a step that learns nothing: its weights are thrown away
    for (const batch of batches) expect(batch).toMatchObject({ program: 'train', rows: 4, lr: 0 });
  });

  test('stays where the device’s own way is the fastest', async () => {
    const { timed } = await tunedBy([1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 1, 2]);
    expect(timed[0]).toEqual({ tuning: GPU_TUNING, ms: 1 });
    expect(timed.map(({ tuning }) => tuning)).toContainEqual(way({ workgroupMemory: true }));
    expect(timed).toHaveLength(7);
  });

  test('is over in five seconds of steps or little more, and times fewer ways of a long step', async () => {
    const { timed, now } = await tunedBy([60], 1);
    expect(timed).toHaveLength(7);
    expect(now).toBeLessThan(6000);
    const long = await tunedBy([3000, 2000, 4000], 1);
    expect(long.timed.map(({ ms }) => ms)).toEqual([2000, 3000, 4000]);
    expect(long.batches).toHaveLength(3);
    expect(long.progress.at(-1)).toMatch(/^3\//);
    expect((await tunedBy([600], 1)).timed).toHaveLength(4);
  });

  test('ends where it is told to, with nothing left behind', async () => {
    const gpu = fakeGpu(fakeNetwork().compute);
    const stop = (done: number) => {
      if (done === 3) throw new Error('stopped');
    };
    await expect(autotune(gpu, tinyTraining(), stop)).rejects.toThrow('stopped');
    expect(gpu.leaks()).toEqual([]);
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
