/** Whole runs of other tasks than classification, on a fake device. */
import { expect, test } from 'vitest';
import { generateImages } from '../../../src/data/builtin/builtin';
import { createModel } from '../../../src/model/zoo';
import type { TrainEvent, TrainJob } from '../../../src/run/job';
import { Memo } from '../../../src/run/memo';
import { PICTURES_FILE, readPictures } from '../../../src/run/pictures';
import { parseReport } from '../../../src/run/report-schema';
import { runTraining } from '../../../src/run/run';
import { defaultSettings, type TrainSettings } from '../../../src/train/settings';
import { loadTask, taskOf } from '../../../src/train/task';
import { fakeGpu } from '../fake-gpu';
import { type Behaviour, fakeNetwork } from '../fake-network';

const COUNT = 16;
const set = 'builtin-scenes';
const tested = await generateImages({ set, split: 'test', count: COUNT });

async function run(arch: string, behaviour: Behaviour, settings: Partial<TrainSettings> = {}) {
  const job: TrainJob = {
    model: { kind: 'random', network: { arch }, seed: 1 },
    train: { kind: 'builtin', split: 'train', set },
    test: { kind: 'builtin', split: 'test', set },
    settings: {
      ...defaultSettings(),
      method: 'retrain',
      epochs: 2,
      batch: 8,
      repeats: 1,
      limit: COUNT,
      ...settings,
    },
    live: 4,
  };
  const { compute, batches } = fakeNetwork(behaviour);
  const gpu = fakeGpu(compute);
  const events: TrainEvent[] = [];
  const context = {
    gpu: async () => gpu,
    memo: new Memo(),
    control: { cancelled: false },
    emit: (event: TrainEvent) => void events.push(event),
  };
  return { result: await runTraining(job, context), events, batches };
}

test('a detector is told by average precision, and shows what it sees', async () => {
  const model = createModel('dw_detector');
  await loadTask(model);
  const wanted = taskOf(model).targets!.of(tested);
  const size = wanted.length / COUNT;
  // it finds all objects of the first half of the images, and tells nothing of the others
  const logits = (image: number) => {
    const row = new Array<number>((size / 8) * 12).fill(-9);
    for (let cell = 0; cell < size / 8; cell++) {
      const [label, , , , ...box] = wanted.subarray(image * size + 8 * cell, image * size + 8 * cell + 8);
      if (label > 0 && image < COUNT / 2) row[12 * cell + label - 1] = 9;
      row.splice(12 * cell + 5, 4, ...box);
    }
    return row;
  };
  const stride = (size / 8) * 12;
  const row: Behaviour['row'] = ({ rows }) => [2 * rows, 3, rows, 4];
  const { result, events, batches } = await run('dw_detector', { logits, stride, row });
  expect(batches.filter(({ program }) => program === 'train')).toHaveLength(4);
  const { report, files, metrics, evals } = result;
  expect(metrics[0]).toMatchObject({ loss: 2, accuracy: 0.75 });
  const counts = [0, 1, 2, 3, 4].map((label) => {
    const of = (images: typeof tested.truth) =>
      images!.objects.flat().filter((one) => one.label === label).length;
    const found = tested
      .truth!.objects.slice(0, COUNT / 2)
      .flat()
      .filter((one) => one.label === label).length;
    return { figure: found / of(tested.truth) };
  });
  const mean = counts.reduce((sum, { figure }) => sum + figure, 0) / 5;
  expect(report.accuracy.last).toBeCloseTo(mean, 6);
  expect(evals[0].accuracy).toBeCloseTo(mean, 6);
  expect(report.dense).toMatchObject({ task: 'detection', last: { classes: counts } });
  const [low, high] = report.uncertainty.intervals.last;
  expect(low).toBeLessThan(mean);
  expect(high).toBeGreaterThan(mean);
  expect(report.evaluation.last).toBeUndefined();
  const pictures = files.find(({ name }) => name === PICTURES_FILE)!;
  const { images } = readPictures(new TextDecoder().decode(pictures.bytes), PICTURES_FILE);
  expect(images[0].last!.boxes).toHaveLength(tested.truth!.objects[0].length);
  expect(files.some(({ name }) => name === 'predictions.csv')).toBe(false);
  expect(events.some(({ type }) => type === 'live')).toBe(false);
  expect(parseReport(JSON.stringify(report), 'report.json').dense).toEqual(
    JSON.parse(JSON.stringify(report.dense)),
  );
});

test('a segmenter is told by mIoU over all images', async () => {
  const area = 32 * 32;
  const logits = (image: number) =>
    Array.from({ length: area }, (_, i) => {
      const label = tested.truth!.masks[image * area + i];
      return Array.from({ length: 8 }, (_, c) => Number(c === label));
    }).flat();
  const row: Behaviour['row'] = ({ rows }) => [
    rows,
    0,
    rows,
    0,
    ...[0, 1, 2, 3, 4, 5].flatMap((c) => [c, 2 * c, c, 0]),
  ];
  const { result } = await run('dw_unet', { logits, stride: area * 8, row });
  const { report } = result;
  // c of 2 c pixels right in each class but the first, which is nowhere
  expect(report.accuracy.last).toBeCloseTo(0.5);
  expect(report.dense!.last!.classes.map(({ figure }) => figure)).toEqual([1, 1, 1, 1, 1, 1]);
  expect(report.proof.ok).toBe(true);
  expect(report.settings).toMatchObject({ augment: 'none', flip: false, cropPadding: 0 });
});

test('images without masks, and settings that would change them, are refused before anything trains', async () => {
  await expect(run('dw_unet', {}, { flip: true })).rejects.toThrow('leave flip out');
});
