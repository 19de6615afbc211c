import { expect, test } from 'vitest';
import { History } from '../../../src/train/history';

/** The time of a step of a run whose readings took so long, milliseconds. */
function stepMs(readings: number[]): number {
  const history = new History(({ accuracy }) => accuracy);
  const step = { step: 1, epoch: 1, lr: 1, loss: 1, accuracy: 1 };
  for (const ms of readings) history.addSteps([step], ms);
  const point = { step: readings.length, epoch: 1, accuracy: 0.5, loss: 1 };
  history.addEvaluated({ snapshot: {} as never, point });
  return history.outcome().stepMs;
}

test('the time of a step is the median, without the first reading where there are others', () => {
  expect(stepMs([9153, 213])).toBe(213);
  expect(stepMs([900, 3, 1, 2])).toBe(2);
  expect(stepMs([900])).toBe(900);
});
