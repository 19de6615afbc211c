/** The frame of a chart as SVG, for documents without script. */
import { type Html, html } from './html';

export interface Point {
  x: number;
  y: number;
}

const WIDTH = 640;
const HEIGHT = 260;
const MARGIN = { left: 58, right: 12, top: 10, bottom: 30 };
/** Lines that can be told apart; further ones begin anew, with another dash. */
export const COLOURS = 6;

/** The class of the nth line. */
export const lineClass = (i: number): string => `c${i % COLOURS} d${Math.floor(i / COLOURS) % 2}`;

/** Where values lie in a chart. */
export interface Scale {
  x(value: number): number;
  y(value: number): number;
  /** `x,y` of a point */
  at(point: Point): string;
  left: number;
  right: number;
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

export interface ChartOptions {
  title: string;
  /** what it shows, for who cannot see it */
  label: string;
  /** a tick of the y axis */
  format: (value: number) => string;
  /** all values that must be in sight, one at least */
  values: readonly number[];
  /** the highest x; the lowest is 0 */
  last: number;
  draw: (scale: Scale) => Html;
}

/** A chart with its grid and ticks; x from 0, ticks at whole numbers. */
export function chart({ title, label, format, values, last, draw }: ChartOptions): Html {
  let [low, high] = [Math.min(...values), Math.max(...values)];
  if (low === high) [low, high] = [low - 0.5 * Math.abs(low || 1), high + 0.5 * Math.abs(high || 1)];
  const { left } = MARGIN;
  const right = WIDTH - MARGIN.right;
  const x = (value: number) => left + (value / last) * (right - left);
  const y = (value: number) =>
    HEIGHT - MARGIN.bottom - ((value - low) / (high - low)) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const at = (point: Point) => `${x(point.x).toFixed(1)},${y(point.y).toFixed(1)}`;
  return html`<figure class="chart"><figcaption>${title}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}">
${ticksOf(low, high).map((value) => html`<g class="grid"><line x1="${left}" x2="${right}" y1="${y(value).toFixed(1)}" y2="${y(value).toFixed(1)}"/><text x="${left - 6}" y="${(y(value) + 4).toFixed(1)}" text-anchor="end">${format(value)}</text></g>`)}
${ticksOf(0, last)
  .filter(Number.isInteger)
  .map(
    (value) =>
      html`<text class="tick" x="${x(value).toFixed(1)}" y="${HEIGHT - 10}" text-anchor="middle">${value}</text>`,
  )}
${draw({ x, y, at, left, right })}
</svg></figure>`;
}

/** A dashed line across the chart. */
export const level = ({ y, left, right }: Scale, value: number): Html =>
  html`<line class="base" x1="${left}" x2="${right}" y1="${y(value).toFixed(1)}" y2="${y(value).toFixed(1)}"/>`;

/** Which line is whose. */
export const legend = (names: readonly string[]): Html =>
  html`<ul class="legend">${names.map((name, i) => html`<li><i class="${lineClass(i)}"></i><bdi>${name}</bdi></li>`)}</ul>`;
