/** What the charts draw, without drawing it. */

import { runningEma } from '../../analysis/smoothing';
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

/** A part of an axis. */
export interface Range {
  min: number;
  max: number;
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
  /** what is shown, and a little of what lies beside it, so that lines run over the edge; default: the whole run */
  range?: Range;
  /** steps at most, evenly; each average is over all steps before it all the same. Default: all of them */
  most?: number;
}

/**
 * Merges the steps and the evaluations of a run on one axis; both are sorted by step. A run of 100,000 steps is drawn anew twice
 * a second: only what is shown gets columns.
 */
export function buildCurve(
  steps: readonly StepPoint[],
  evals: readonly EvalPoint[],
  { quantity, axis, smoothing, base, times = [], range, most = Infinity }: CurveOptions,
): Curve {
  const seconds = axis === 'time' ? secondsOf(times) : [];
  const stepX = axis === 'time' ? (s: number) => seconds[s] : (s: number) => steps[s][axis];
  const valueAt = quantity === 'stepMs' ? (s: number) => times[s] : (s: number) => steps[s][quantity];
  // steps are told one after the other: what is known of an evaluation's step stands at its place
  const first = steps[0]?.step ?? 1;
  const timeOf = ({ step }: EvalPoint) => (step < first ? 0 : (seconds[step - first] ?? Number.NaN));
  const evalX = (point: EvalPoint) => (axis === 'time' ? timeOf(point) : point[axis]);
  const shown = shownSteps(steps.length, stepX, { range, most });
  const smooth = averagesAt(shown, valueAt, smoothing);
  const isTested = quantity === 'loss' || quantity === 'accuracy';
  const from = range ? Math.min(range.min, shown.length > 0 ? stepX(shown[0]) : Infinity) : -Infinity;
  const to = range ? Math.max(range.max, shown.length > 0 ? stepX(shown[shown.length - 1]) : 0) : Infinity;
  const tested = isTested ? evals.filter((point) => !(evalX(point) < from || evalX(point) > to)) : [];
  const curve: Curve = { x: [], raw: [], smoothed: [], test: [], base: [] };
  let s = 0;
  let e = 0;
  while (s < shown.length || e < tested.length) {
    const nextStep = s < shown.length ? stepX(shown[s]) : Infinity;
    const nextEval = e < tested.length ? evalX(tested[e]) : Infinity;
    const isStep = s < shown.length && !(nextEval < nextStep);
    const isEval = e < tested.length && !(nextStep < nextEval);
    curve.x.push(isStep ? nextStep : nextEval);
    curve.raw.push(isStep ? valueAt(shown[s]) : undefined);
    curve.smoothed.push(isStep ? smooth[s] : undefined);
    curve.test.push(isEval ? tested[e][quantity as 'loss' | 'accuracy'] : null);
    curve.base.push(base);
    if (isStep) s++;
    if (isEval) e++;
  }
  return curve;
}

/** The steps that a chart shows, by their places: evenly, with the last one. */
function shownSteps(
  count: number,
  x: (s: number) => number,
  { range, most }: { range?: Range; most: number },
): number[] {
  let [from, to] = [0, count];
  if (range) {
    from = Math.max(0, firstOf(count, (s) => x(s) >= range.min) - 1);
    to = Math.min(count, firstOf(count, (s) => x(s) > range.max) + 1);
  }
  const stride = Math.max(1, Math.ceil((to - from) / most));
  const shown: number[] = [];
  for (let s = from; s < to; s += stride) shown.push(s);
  if (to > from && shown[shown.length - 1] !== to - 1) shown.push(to - 1);
  return shown;
}

/** The first of `count` places that holds, where all after it do; `count` where none does. */
function firstOf(count: number, holds: (place: number) => boolean): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The average so far at those places, ascending. */
function averagesAt(places: readonly number[], valueAt: (s: number) => number, weight: number): number[] {
  const next = runningEma(weight);
  let s = 0;
  return places.map((place) => {
    while (s < place) next(valueAt(s++));
    s++;
    return next(valueAt(place));
  });
}

/** Seconds of training up to the end of each step; a step whose time is not known took as long as the others in the middle. */
export function secondsOf(times: readonly number[]): number[] {
  const known = times.filter(Number.isFinite);
  const middle = known.length < times.length ? (known.sort((a, b) => a - b)[known.length >> 1] ?? 0) : 0;
  let sum = 0;
  return times.map((ms) => {
    sum += (Number.isFinite(ms) ? ms : middle) / 1000;
    return sum;
  });
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
