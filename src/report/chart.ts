/** The frame of a chart as SVG, for documents without script. */
import { tick } from './format';
import { type Html, html } from './html';

export interface Point {
  x: number;
  y: number;
}

const WIDTH = 640;
const HEIGHT = 260;
/** Room for text of 18 units too, which a phone has (style.ts): it draws a unit as half a pixel. */
const MARGIN = { left: 78, right: 24, top: 12, bottom: 32 };
/** Height of a line of text. */
const LINE = 18;
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
  top: number;
  bottom: number;
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

/** The lowest and the highest of some values; where all are equal, with room around them. */
export function rangeOf(values: readonly number[]): [low: number, high: number] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low < high ? [low, high] : [low - 0.5 * Math.abs(low || 1), high + 0.5 * Math.abs(high || 1)];
}

export interface ChartOptions {
  title: string;
  /** what it shows, for who cannot see it */
  label: string;
  /** a tick of the y axis */
  format: (value: number) => string;
  /** all values that must be in sight, one at least */
  values: readonly number[];
  /** the lowest x, default 0, and the highest */
  first?: number;
  last: number;
  /** what is across; default: steps, at whole numbers */
  across?: string;
  /** a tick of the x axis */
  formatAcross?: (value: number) => string;
  draw: (scale: Scale) => Html;
}

/** A chart with its grid and ticks. */
export function chart({
  title,
  label,
  format,
  values,
  first = 0,
  last,
  across,
  formatAcross = tick,
  draw,
}: ChartOptions): Html {
  const [low, high] = rangeOf(values);
  const { left } = MARGIN;
  const bottom = MARGIN.bottom + (across === undefined ? 0 : LINE);
  const right = WIDTH - MARGIN.right;
  const x = (value: number) => left + ((value - first) / (last - first || 1)) * (right - left);
  const y = (value: number) =>
    HEIGHT - bottom - ((value - low) / (high - low)) * (HEIGHT - MARGIN.top - bottom);
  const at = (point: Point) => `${x(point.x).toFixed(1)},${y(point.y).toFixed(1)}`;
  return html`<figure class="chart"><figcaption>${title}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}">
${ticksOf(low, high).map((value) => html`<g class="grid"><line x1="${left}" x2="${right}" y1="${y(value).toFixed(1)}" y2="${y(value).toFixed(1)}"/><text x="${left - 6}" y="${y(value).toFixed(1)}" dy=".35em" text-anchor="end">${format(value)}</text></g>`)}
${ticksOf(first, last)
  .filter((value) => across !== undefined || Number.isInteger(value))
  .map(
    (value) =>
      html`<text class="tick" x="${x(value).toFixed(1)}" y="${HEIGHT - bottom + 21}" text-anchor="middle">${formatAcross(value)}</text>`,
  )}
${across !== undefined && html`<text class="tick" x="${(left + right) / 2}" y="${HEIGHT - 6}" text-anchor="middle">${across}</text>`}
${draw({ x, y, at, left, right, top: MARGIN.top, bottom: HEIGHT - bottom })}
</svg></figure>`;
}

/** A dashed line across the chart. */
export const level = ({ y, left, right }: Scale, value: number): Html =>
  html`<line class="base" x1="${left}" x2="${right}" y1="${y(value).toFixed(1)}" y2="${y(value).toFixed(1)}"/>`;

/** A dashed line from the chart's top to its bottom. */
export const upright = ({ x, top, bottom }: Scale, value: number): Html =>
  html`<line class="base" x1="${x(value).toFixed(1)}" x2="${x(value).toFixed(1)}" y1="${top}" y2="${bottom}"/>`;

/** Which line is whose. */
export const legend = (names: readonly string[]): Html =>
  html`<ul class="legend">${names.map((name, i) => html`<li><i class="${lineClass(i)}"></i><bdi>${name}</bdi></li>`)}</ul>`;
