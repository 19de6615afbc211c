import { expect, test, vi } from 'vitest';

vi.stubGlobal('location', { hash: '' });
vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener() {} }));

test('the part of a run that is shown is not that of the next one', async () => {
  await import('../../../src/page/run/curve-charts');
  const { zoom } = await import('../../../src/page/run/chart');
  const { status } = await import('../../../src/page/run/state');
  status.value = 'done';
  zoom.value = { min: 75, max: 100 };
  status.value = 'running';
  expect(zoom.value).toBe(undefined);
  // while it goes on it stays as its user has it
  zoom.value = { min: 1, max: 3 };
  status.value = 'paused';
  status.value = 'done';
  expect(zoom.value).toEqual({ min: 1, max: 3 });
});
