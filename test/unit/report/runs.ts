/** Runs for the tests of reports and bundles. */
import { redundancyOf } from '../../../src/analysis/redundancy';
import type { EndedRun } from '../../../src/report/arms';
import type { Report, TestPredictions } from '../../../src/run/report';
import { runSettings } from '../../settings';
import { fakeReport } from '../cli/fake';

/** What a network says of `images` images of two classes; it is wrong on those. */
export function predictionsOf(
  images: number,
  wrong: readonly number[],
  classes: readonly [string, string] = ['a', 'b'],
): NonNullable<TestPredictions['last']> {
  return Array.from({ length: images }, (_, image) => ({
    image,
    label: classes[image % 2],
    predicted: classes[(image + Number(wrong.includes(image))) % 2],
    probability: 0.75,
  }));
}

/** A run that has ended. `wrong`: test images of a hundred that its last network tells wrong. */
export function endedRun({
  name = 'a run',
  method = 'refocus',
  seed = 0,
  wrong = [] as readonly number[],
  changes = {} as Partial<Report>,
}: {
  name?: string;
  method?: 'refocus' | 'finetune';
  seed?: number;
  wrong?: readonly number[];
  changes?: Partial<Report>;
} = {}): EndedRun {
  const last = 1 - wrong.length / 100;
  const weight = Float32Array.from({ length: 4 * 9 }, (_, i) => Math.sin(i * (seed + 1)));
  const layers = [redundancyOf('features.1', weight, [4, 1, 3, 3])];
  return {
    name,
    report: {
      ...fakeReport(true),
      settings: runSettings({ method, seed }),
      seed,
      accuracy: { base: 0.5, last, best: last },
      uncertainty: { images: 100, intervals: { base: [0.4, 0.6], last: [0.4, 0.9], best: [0.4, 0.9] } },
      ...changes,
    },
    metrics: [1, 2, 3].map((step) => ({ step, epoch: step / 2, loss: 2 / step, accuracy: 0.5, lr: 0.1 })),
    evals: [
      { which: 'base', point: { step: 0, epoch: 0, loss: 1, accuracy: 0.5 } },
      { which: 'epoch', point: { step: 2, epoch: 1, loss: 0.5, accuracy: last } },
    ],
    predictions: { base: predictionsOf(100, [1, 2, 3]), last: predictionsOf(100, wrong) },
    redundancy: { before: layers, after: layers },
  };
}
