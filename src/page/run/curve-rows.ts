/** The curves as rows: one for each test, with the mean over the steps since the test before. */
import type { EvalPoint, StepPoint } from '../../api';

export interface CurveRow {
  step: number;
  epoch: number;
  /** undefined where there was no step since the test before */
  train?: { loss: number; accuracy: number; lr: number };
  test: { loss: number; accuracy: number };
}

/** Both are sorted by step. */
export function curveRows(steps: readonly StepPoint[], tests: readonly EvalPoint[]): CurveRow[] {
  let s = 0;
  return tests.map(({ step, epoch, loss, accuracy }) => {
    const first = s;
    while (s < steps.length && steps[s].step <= step) s++;
    const since = steps.slice(first, s);
    const mean = (of: (point: StepPoint) => number) =>
      since.reduce((sum, point) => sum + of(point), 0) / since.length;
    const train =
      since.length === 0
        ? undefined
        : { loss: mean((p) => p.loss), accuracy: mean((p) => p.accuracy), lr: since[since.length - 1].lr };
    return { step, epoch, train, test: { loss, accuracy } };
  });
}
