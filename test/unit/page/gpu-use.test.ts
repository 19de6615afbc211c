import { expect, test, vi } from 'vitest';

vi.stubGlobal('location', { hash: '' });

test('between two runs of a series the GPU is taken, and what needs it says so', async () => {
  const { isGpuFree, series } = await import('../../../src/page/gpu-use');
  const { profileObstacle } = await import('../../../src/page/profile/profile');
  const { analysisObstacle } = await import('../../../src/page/analysis/analysis');
  expect([isGpuFree.value, profileObstacle.value, analysisObstacle.value]).toEqual([
    true,
    undefined,
    undefined,
  ]);
  series.value = { at: 2, of: 4, words: 'refocus, seed 1' };
  expect(isGpuFree.value).toBe(false);
  expect(profileObstacle.value).toContain('A training is going on');
  expect(analysisObstacle.value).toContain('Another job has the GPU');
});
