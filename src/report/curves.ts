/** Curves of runs as SVG, for documents without script. */
import { debiasedEma } from '../analysis/smoothing';
import type { NamedRun } from './arms';
import { percent, tick } from './format';
import { Html, html } from './html';

export type CurveQuantity = 'loss' | 'accuracy';

const WIDTH = 640;
const HEIGHT = 260;
const MARGIN = { left: 58, right: 12, top: 10, bottom: 30 };
/** Points of a line at most: more than pixels are not seen. */
const MOST_POINTS = 400;
const SMOOTHING = 0.9;
/** Lines that can be told apart; further runs begin anew, with another dash. */
export const COLOURS = 6;

interface Point {
  x: number;
  y: number;
}

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

/** Round numbers that cover a range, some five of them. */
export function ticksOf(min: number, max: number): number[] {
  const span = max - min;
  if (!(span > 0)) return [min];
  const rough = span / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough)!;
  const ticks: number[] = [];
  for (let i = Math.ceil(min / step - 1e-9); i * step <= max + step * 1e-9; i++) ticks.push(i * step + 0);
  return ticks;
}

/** The curves of runs over their steps, one above the other: training smoothed, tests as points, the first run's base dashed. */
export function curvesSvg(runs: readonly NamedRun[], quantity: CurveQuantity): Html {
  const lines = runs.map((run) => lineOf(run, quantity));
  const all = lines.flatMap(({ training, tests, base }) => [
    ...[...training, ...tests].map(({ y }) => y),
    ...(base === undefined ? [] : [base]),
  ]);
  if (all.length === 0) return html`<p class="hint">No step was recorded.</p>`;
  let [low, high] = [Math.min(...all), Math.max(...all)];
  if (low === high) [low, high] = [low - 0.5 * Math.abs(low || 1), high + 0.5 * Math.abs(high || 1)];
  const last = Math.max(
    1,
    ...lines.flatMap(({ training, tests }) => [...training, ...tests].map(({ x }) => x)),
  );
  const x = (value: number) => MARGIN.left + (value / last) * (WIDTH - MARGIN.left - MARGIN.right);
  const y = (value: number) =>
    HEIGHT - MARGIN.bottom - ((value - low) / (high - low)) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const at = (point: Point) => `${x(point.x).toFixed(1)},${y(point.y).toFixed(1)}`;
  const name = quantity === 'loss' ? 'Loss' : 'Accuracy';
  const format = (value: number) => (quantity === 'loss' ? tick(value) : percent(value, 1));
  const base = lines[0].base;
  return html`<figure class="chart"><figcaption>${name}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${name} over the steps of ${lines.map((line) => line.name).join(', ')}">
${ticksOf(low, high).map((value) => html`<g class="grid"><line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y(value).toFixed(1)}" y2="${y(value).toFixed(1)}"/><text x="${MARGIN.left - 6}" y="${(y(value) + 4).toFixed(1)}" text-anchor="end">${format(value)}</text></g>`)}
${ticksOf(0, last)
  .filter(Number.isInteger)
  .map(
    (value) =>
      html`<text class="tick" x="${x(value).toFixed(1)}" y="${HEIGHT - 10}" text-anchor="middle">${value}</text>`,
  )}
${base !== undefined && html`<line class="base" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y(base).toFixed(1)}" y2="${y(base).toFixed(1)}"/>`}
${lines.map(({ training, tests }, i) => html`<g class="run c${i % COLOURS} d${Math.floor(i / COLOURS) % 2}">${training.length > 1 && html`<polyline points="${training.map(at).join(' ')}"/>`}${tests.map((point) => html`<circle cx="${x(point.x).toFixed(1)}" cy="${y(point.y).toFixed(1)}" r="3.5"/>`)}</g>`)}
</svg></figure>`;
}

/** Which line is which run. */
export const curvesLegend = (runs: readonly NamedRun[]): Html =>
  new Html(
    html`<ul class="legend">${runs.map(({ name }, i) => html`<li><i class="c${i % COLOURS} d${Math.floor(i / COLOURS) % 2}"></i><bdi>${name}</bdi></li>`)}</ul>`
      .text,
  );
