import { expect, test, vi } from 'vitest';

/** What a component that is drawn without a page remembers, and its effects. */
const hooks = vi.hoisted(() => {
  const kept: unknown[] = [];
  let at = 0;
  const once = <T>(value: T): T => {
    if (kept.length === at) kept.push(value);
    return kept[at++] as T;
  };
  return {
    draw(component: () => unknown) {
      at = 0;
      component();
    },
    useState: (value: unknown) => [once(value), () => {}],
    useRef: (current: unknown) => once({ current }),
    useEffect(effect: () => void, inputs: unknown[]) {
      const before = once<{ inputs?: unknown[] }>({});
      const isSame = before.inputs?.every((input, i) => input === inputs[i]);
      before.inputs = inputs;
      if (!isSame) effect();
    },
  };
});
vi.mock('preact/hooks', async (original) => ({ ...(await original<object>()), ...hooks }));
vi.stubGlobal('location', { hash: '' });

test('the focus that is lost with a run’s buttons goes on where a series of runs ends', async () => {
  const body = {};
  const focused: string[] = [];
  const getElementById = (id: string) => ({ focus: () => focused.push(id) });
  vi.stubGlobal('document', { body, activeElement: body, getElementById });
  const { RunBar } = await import('../../../src/page/run/run-bar');
  const { series } = await import('../../../src/page/gpu-use');
  const { status } = await import('../../../src/page/run/state');
  const become = (state: typeof status.value, next?: number) => {
    status.value = state;
    series.value = next ? { at: next, of: 2, words: 'refocus, seed 0' } : undefined;
    hooks.draw(RunBar);
  };
  become('idle');
  become('running');
  become('done');
  expect(focused.splice(0)).toEqual(['step-3']);
  become('running', 1);
  become('done', 1);
  become('running', 2);
  become('done', 2);
  // the next run's buttons have it, or it is being kept
  expect(focused).toEqual([]);
  become('done');
  expect(focused).toEqual(['step-3']);
});
