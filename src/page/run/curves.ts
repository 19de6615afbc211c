/** What the charts draw, without drawing it. */

import { debiasedEma } from '../../analysis/smoothing';
import type { EvalPoint, StepPoint } from '../../api';

export type Axis = 'step' | 'epoch' | 'time';
export type Quantity = 'loss' | 'accuracy' | 'lr' | 'stepMs';

type Column = (number | null | undefined)[];

/** Columns on one x axis: raw, smoothed, test points, base; undefined where a column has no value at that x. */
export interface Curve {
  x: number[];
  raw: Column;
  smoothed: Column;
  test: Column;
  base: Column;
}

interface CurveOptions {
  quantity: Quantity;
  /** `time`: seconds of training */
  axis: Axis;
  /** weight of `debiasedEma` */
  smoothing: number;
  base?: number;
  /** milliseconds of each step */
  times?: readonly number[];
}

/** Merges the steps and the evaluations of a run on one axis; both are sorted by step. */
export function buildCurve(
  steps: readonly StepPoint[],
  evals: readonly EvalPoint[],
  { quantity, axis, smoothing, base, times = [] }: CurveOptions,
): Curve {
  const seconds = axis === 'time' ? secondsOf(times) : [];
  const values = quantity === 'stepMs' ? times : steps.map((point) => point[quantity]);
  const tested = quantity === 'loss' || quantity === 'accuracy' ? evals : [];
  // steps are told one after the other: what is known of an evaluation's step stands at its place
  const first = steps[0]?.step ?? 1;
  const timeOf = ({ step }: EvalPoint) => (step < first ? 0 : (seconds[step - first] ?? Number.NaN));
  const smooth = debiasedEma(values, smoothing);
  const curve: Curve = { x: [], raw: [], smoothed: [], test: [], base: [] };
  let s = 0;
  let e = 0;
  while (s < steps.length || e < tested.length) {
    const stepX = s < steps.length ? (axis === 'time' ? seconds[s] : steps[s][axis]) : Infinity;
    const evalX = e < tested.length ? (axis === 'time' ? timeOf(tested[e]) : tested[e][axis]) : Infinity;
    const isStep = s < steps.length && !(evalX < stepX);
    const isEval = e < tested.length && !(stepX < evalX);
    curve.x.push(isStep ? stepX : evalX);
    curve.raw.push(isStep ? values[s] : undefined);
    curve.smoothed.push(isStep ? smooth[s] : undefined);
    curve.test.push(isEval ? tested[e][quantity as 'loss' | 'accuracy'] : null);
    curve.base.push(base);
    if (isStep) s++;
    if (isEval) e++;
  }
  return curve;
}

/** Seconds of training up to the end of each step; a step whose time is not known took as long as the others in the middle. */
export function secondsOf(times: readonly number[]): number[] {
  const known = times.filter(Number.isFinite).sort((a, b) => a - b);
  const middle = known[known.length >> 1] ?? 0;
  let sum = 0;
  return times.map((ms) => {
    sum += (Number.isFinite(ms) ? ms : middle) / 1000;
    return sum;
  });
}

/** A part of an axis. */
export interface Range {
  min: number;
  max: number;
}

/**
 * A curve as a chart needs it: of the part that is shown `most` points, evenly, and all test points; a little of what lies beside
 * it, so that lines run over the edge.
 */
export function shownCurve(curve: Curve, range: Range | undefined, most: number): Curve {
  const { x, test } = curve;
  let [from, to] = [0, x.length];
  if (range) {
    from = Math.max(0, x.findIndex((at) => at >= range.min) - 1);
    const end = x.findIndex((at) => at > range.max);
    if (end >= 0) to = end + 1;
  }
  const stride = Math.ceil((to - from) / most);
  if (stride <= 1 && from === 0 && to === x.length) return curve;
  const kept: number[] = [];
  for (let i = from; i < to; i++)
    if ((i - from) % stride === 0 || i === to - 1 || test[i] != null) kept.push(i);
  const of = <T>(column: readonly T[]): T[] => kept.map((i) => column[i]);
  return {
    x: of(x),
    raw: of(curve.raw),
    smoothed: of(curve.smoothed),
    test: of(test),
    base: of(curve.base),
  };
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
