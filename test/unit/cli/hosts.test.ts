import { afterEach, expect, test, vi } from 'vitest';
import { suits } from '../../../src/cli/hosts/open';
import { pollAtRest } from '../../../src/gpu/poll-at-rest';

afterEach(() => vi.useRealTimers());

test('the engine runs in Node where Dawn has an adapter of the wanted kind', () => {
  expect(suits('gpu', 'any')).toBe(true);
  expect(suits('software', 'any')).toBe(true);
  expect(suits('software', 'gpu')).toBe(false);
  expect(suits('none', 'any')).toBe(false);
});

test('what Dawn asks at every turn it asks by a timer, and nothing else does', async () => {
  const { setImmediate: original } = globalThis;
  try {
    pollAtRest();
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    // as Dawn's binding makes them: a proxy's text is that of native code, too
    const dawns = new Proxy(
      Object.assign(() => {}, { prototype: {} }),
      {},
    );
    setImmediate(dawns);
    expect(vi.getTimerCount()).toBe(1);
    const given = await new Promise((resolve) => setImmediate(resolve, 'given'));
    expect(given).toBe('given');
    const named = vi.fn(function named() {});
    setImmediate(named);
    clearImmediate(setImmediate(named.bind(undefined)));
    await new Promise((resolve) => setImmediate(resolve));
    expect(named).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(1);
  } finally {
    globalThis.setImmediate = original;
  }
});
