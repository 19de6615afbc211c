/** Curves of runs as SVG, for documents without script. */
import { debiasedEma } from '../analysis/smoothing';
import type { NamedRun } from './arms';
import { chart, legend, level, lineClass, type Point } from './chart';
import { percent, tick } from './format';
import { type Html, html } from './html';

export type CurveQuantity = 'loss' | 'accuracy';

/** Points of a line at most: more than pixels are not seen. */
const MOST_POINTS = 400;
const SMOOTHING = 0.9;

/** What is drawn of a run: its training, smoothed, and its tests. */
interface Line {
  name: string;
  training: Point[];
  tests: Point[];
  base?: number;
}

function lineOf({ name, metrics, evals }: NamedRun, quantity: CurveQuantity): Line {
  const smooth = debiasedEma(
    metrics.map((point) => point[quantity]),
    SMOOTHING,
  );
  const points = metrics
    .map(({ step }, i) => ({ x: step, y: smooth[i] }))
    .filter(({ y }) => Number.isFinite(y));
  const stride = Math.ceil(points.length / MOST_POINTS);
  const tests = new Map(
    evals
      .filter(({ which, point }) => which !== 'base' && Number.isFinite(point[quantity]))
      .map(({ point }) => [point.step, { x: point.step, y: point[quantity] }]),
  );
  const base = evals.find(({ which }) => which === 'base')?.point[quantity];
  return {
    name,
    training: points.filter((_, i) => i % stride === 0 || i === points.length - 1),
    tests: [...tests.values()].sort((a, b) => a.x - b.x),
    base: quantity === 'accuracy' && Number.isFinite(base) ? base : undefined,
  };
}

/** The curves of runs over their steps, one above the other: training smoothed, tests as points, the first run's base dashed. */
export function curvesSvg(runs: readonly NamedRun[], quantity: CurveQuantity): Html {
  const lines = runs.map((run) => lineOf(run, quantity));
  const values = lines.flatMap(({ training, tests, base }) => [
    ...[...training, ...tests].map(({ y }) => y),
    ...(base === undefined ? [] : [base]),
  ]);
  if (values.length === 0) return html`<p class="hint">No step was recorded.</p>`;
  const name = quantity === 'loss' ? 'Loss' : 'Accuracy';
  const { base } = lines[0];
  return chart({
    title: name,
    label: `${name} over the steps of ${lines.map((line) => line.name).join(', ')}`,
    format: (value) => (quantity === 'loss' ? tick(value) : percent(value, 1)),
    values,
    last: Math.max(1, ...lines.flatMap(({ training, tests }) => [...training, ...tests].map(({ x }) => x))),
    draw: (scale) => html`${base !== undefined && level(scale, base)}
${lines.map(({ training, tests }, i) => html`<g class="run ${lineClass(i)}">${training.length > 1 && html`<polyline points="${training.map(scale.at).join(' ')}"/>`}${tests.map((point) => html`<circle cx="${scale.x(point.x).toFixed(1)}" cy="${scale.y(point.y).toFixed(1)}" r="3.5"/>`)}</g>`)}`,
  });
}

/** Which line is which run. */
export const curvesLegend = (runs: readonly NamedRun[]): Html => legend(runs.map(({ name }) => name));
