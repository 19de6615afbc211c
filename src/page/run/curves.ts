/** What the charts draw, without drawing it. */

import { debiasedEma } from '../../analysis/smoothing';
import type { EvalPoint, StepPoint } from '../../api';

export type Axis = 'step' | 'epoch';
export type Quantity = 'loss' | 'accuracy';

type Column = (number | null | undefined)[];

/** Columns on one x axis: raw, smoothed, test points, base; undefined where a column has no value at that x. */
export interface Curve {
  x: number[];
  raw: Column;
  smoothed: Column;
  test: Column;
  base: Column;
}

/**
 * Merges the steps and the evaluations of a run on one axis; both are sorted by step.
 * @param smoothing weight of `debiasedEma`
 */
export function buildCurve(
  steps: readonly StepPoint[],
  evals: readonly EvalPoint[],
  options: { quantity: Quantity; axis: Axis; smoothing: number; base?: number },
): Curve {
  const { quantity, axis, base } = options;
  const smooth = debiasedEma(
    steps.map((point) => point[quantity]),
    options.smoothing,
  );
  const curve: Curve = { x: [], raw: [], smoothed: [], test: [], base: [] };
  let s = 0;
  let e = 0;
  while (s < steps.length || e < evals.length) {
    const stepX = s < steps.length ? steps[s][axis] : Infinity;
    const evalX = e < evals.length ? evals[e][axis] : Infinity;
    const isStep = s < steps.length && !(evalX < stepX);
    const isEval = e < evals.length && !(stepX < evalX);
    curve.x.push(isStep ? stepX : evalX);
    curve.raw.push(isStep ? steps[s][quantity] : undefined);
    curve.smoothed.push(isStep ? smooth[s] : undefined);
    curve.test.push(isEval ? evals[e][quantity] : null);
    curve.base.push(base);
    if (isStep) s++;
    if (isEval) e++;
  }
  return curve;
}

/** Ticks at 1, 2 and 5 times powers of ten within a range above 0. */
export function logTicks(min: number, max: number): number[] {
  const ticks: number[] = [];
  for (let exponent = Math.floor(Math.log10(min)); exponent <= Math.log10(max); exponent++) {
    for (const digit of [1, 2, 5]) {
      const tick = Number(`${digit}e${exponent}`);
      if (tick >= min && tick <= max) ticks.push(tick);
    }
  }
  return ticks;
}
