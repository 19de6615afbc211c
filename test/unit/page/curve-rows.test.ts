import { expect, test } from 'vitest';
import type { EvalPoint, StepPoint } from '../../../src/api';
import { curveRows } from '../../../src/page/run/curve-rows';

const step = (step: number, loss: number): StepPoint => ({
  step,
  epoch: step / 4,
  lr: 0.1 / step,
  loss,
  accuracy: loss / 8,
});
const tested = (step: number): EvalPoint => ({ step, epoch: step / 4, loss: 9, accuracy: 0.5 }) as EvalPoint;

test('a row has the test and the mean over the steps since the test before', () => {
  const rows = curveRows(
    [1, 2, 3, 4, 5, 6].map((n) => step(n, n)),
    [tested(0), tested(4), tested(5)],
  );
  expect(rows.map(({ train }) => train?.loss)).toEqual([undefined, 2.5, 5]);
  expect(rows[1]).toEqual({
    step: 4,
    epoch: 1,
    train: { loss: 2.5, accuracy: 0.3125, lr: 0.025 },
    test: { loss: 9, accuracy: 0.5 },
  });
});

test('before any step and any test there is nothing', () => {
  expect(curveRows([], [])).toEqual([]);
});
