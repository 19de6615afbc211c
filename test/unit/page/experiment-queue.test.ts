import { expect, test, vi } from 'vitest';

vi.stubGlobal('location', { hash: '' });
vi.mock('idb-keyval', () => ({
  createStore() {},
  ...Object.fromEntries(['get', 'set', 'del', 'entries'].map((name) => [name, async () => undefined])),
}));

test('an experiment has the GPU from the click that begins it to its end', async () => {
  const { isGpuFree, series } = await import('../../../src/page/gpu-use');
  const { begin, error } = await import('../../../src/page/experiment/queue');
  const { parseExperiment } = await import('../../../src/experiment/experiment');
  let answer: (lock: object | null) => void = () => {};
  const locked = new Promise<object | null>((resolve) => {
    answer = resolve;
  });
  vi.stubGlobal('navigator', {
    locks: { request: async (_: string, __: object, job: (lock: unknown) => unknown) => job(await locked) },
  });
  const begun = begin(parseExperiment({ name: 'small', arms: ['finetune', 'refocus'], seeds: [0] }, 'small'));
  expect(series.value).toEqual({ at: 1, of: 2, words: 'Fine-tuned, seed 0' });
  expect(isGpuFree.value).toBe(false);
  answer(null);
  await begun;
  expect(error.value).toBe('Another tab goes on with this experiment.');
  expect(isGpuFree.value).toBe(true);
});
