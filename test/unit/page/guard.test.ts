import { expect, test, vi } from 'vitest';

vi.stubGlobal('location', { hash: '' });
vi.stubGlobal('navigator', {});
vi.stubGlobal('document', { title: 'Refocus', visibilityState: 'visible', addEventListener() {} });

test('the page asks before it closes on a run, and between two of a series', async () => {
  let ask: (event: Event) => void = () => {};
  vi.stubGlobal('addEventListener', (_: string, listener: typeof ask) => {
    ask = listener;
  });
  const { guardRun } = await import('../../../src/page/run/guard');
  const { series } = await import('../../../src/page/gpu-use');
  const { status } = await import('../../../src/page/run/state');
  const isAsked = () => {
    const event = new Event('beforeunload', { cancelable: true });
    ask(event);
    return event.defaultPrevented;
  };
  guardRun();
  expect(isAsked()).toBe(false);
  series.value = { at: 1, of: 2, words: 'refocus, seed 0' };
  status.value = 'running';
  expect(isAsked()).toBe(true);
  status.value = 'done';
  expect(isAsked()).toBe(true);
  series.value = undefined;
  expect(isAsked()).toBe(false);
});
