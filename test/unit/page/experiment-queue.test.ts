import { expect, test, vi } from 'vitest';

vi.stubGlobal('location', { hash: '' });
vi.mock('idb-keyval', () => ({
  createStore() {},
  ...Object.fromEntries(['get', 'set', 'del', 'entries'].map((name) => [name, async () => undefined])),
}));

const openRun = vi.hoisted(() => vi.fn());
vi.mock('../../../src/page/saved/results', () => ({ openRun }));
const startCell = vi.hoisted(() => vi.fn());
vi.mock('../../../src/page/run/run', async (original) => ({ ...(await original<object>()), startCell }));

const small = { name: 'small', arms: ['finetune', 'refocus'], seeds: [0], data: ['builtin-camera'] };

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
  const begun = begin(parseExperiment(small, 'small'));
  expect(series.value).toEqual({ at: 1, of: 2, words: 'Fine-tuned, seed 0' });
  expect(isGpuFree.value).toBe(false);
  answer(null);
  await begun;
  expect(error.value).toBe('Another tab goes on with this experiment.');
  expect(isGpuFree.value).toBe(true);
});

test('a run that fails is passed over; one that its user ends before its first step is the last', async () => {
  vi.stubGlobal('navigator', {
    locks: { request: (_: string, __: object, job: (lock: object) => unknown) => job({}) },
  });
  const { begin, failed } = await import('../../../src/page/experiment/queue');
  const { parseExperiment } = await import('../../../src/experiment/experiment');
  const experiment = parseExperiment(small, 'small');
  startCell.mockResolvedValue({ failure: 'No such layer.', diverged: false });
  await begin(experiment);
  expect([...failed.value.values()]).toEqual(['No such layer.', 'No such layer.']);
  startCell.mockClear();
  startCell.mockResolvedValue(undefined);
  await begin(experiment);
  expect(startCell).toHaveBeenCalledTimes(1);
  expect(failed.value.size).toBe(0);
});

test('a searched rate that diverges is over, and not tried again', async () => {
  vi.stubGlobal('navigator', {
    locks: { request: (_: string, __: object, job: (lock: object) => unknown) => job({}) },
  });
  const { begin, failed, goOn, results, shown } = await import('../../../src/page/experiment/queue');
  const { parseExperiment } = await import('../../../src/experiment/experiment');
  const searched = { ...small, arms: ['finetune'], lrSearch: { rates: [1, 10], epochs: 1 } };
  startCell.mockClear();
  startCell.mockImplementation(async ({ settings: { lr } }) => ({
    failure: 'It failed.',
    diverged: lr === 10,
  }));
  await begin(parseExperiment(searched, 'searched'));
  expect(shown.value!.diverged).toEqual(['search/finetune-lr10']);
  expect([...failed.value.keys()]).toEqual(['search/finetune-lr1']);
  expect(results.value!.missing).toEqual(['search/finetune-lr1', 'runs/finetune-seed0']);
  await goOn();
  expect(startCell.mock.calls.map(([{ settings }]) => settings.lr)).toEqual([1, 10, 1]);
});

test('a run that was gone on with beside the experiment is taken as it ended, not trained again', async () => {
  vi.stubGlobal('navigator', {
    locks: { request: (_: string, __: object, job: (lock: object) => unknown) => job({}) },
  });
  const { goOn, show, shown } = await import('../../../src/page/experiment/queue');
  const { entries, newEntry } = await import('../../../src/page/saved/entries');
  const { parseExperiment } = await import('../../../src/experiment/experiment');
  const { cellsOf, settingsOf } = await import('../../../src/experiment/cells');
  const experiment = parseExperiment({ ...small, arms: ['finetune'] }, 'small');
  const [cell] = cellsOf(experiment);
  const settings = settingsOf(experiment, cell, new Map());
  entries.value = [
    newEntry({
      ...{ id: 'alone', name: 'small: finetune, seed 0', cell: `x ${cell.id}`, date: '', state: 'finished' },
      ...{ method: 'finetune', seed: 0, epochs: 1, epoch: 1 },
    }),
  ];
  const kept = { id: 'x', date: '', isBuiltin: true, experiment, ended: [], diverged: [] };
  const files = { metrics: [], evals: [], redundancy: { before: [], after: [] } };
  const endAs = (changed: object) =>
    openRun.mockResolvedValue({
      ...files,
      result: {
        report: { settings: { ...settings, batch: 32, ...changed } },
        merged: new Uint8Array(1),
        files: [],
      },
    });
  startCell.mockClear();
  endAs({});
  show(kept);
  await goOn();
  expect(startCell).not.toHaveBeenCalled();
  expect(shown.value!.ended.map((one) => one.cell.id)).toEqual([cell.id]);
  // what was mended by other settings is another run
  endAs({ epochs: settings.epochs + 1 });
  show(kept);
  await goOn();
  expect(startCell).toHaveBeenCalledTimes(1);
});
