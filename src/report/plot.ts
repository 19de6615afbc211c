/** Curves of numbers over numbers as SVG, for documents without script. */
import { chart, lineClass, type Scale, upright } from './chart';
import { tick } from './format';
import { type Html, html } from './html';

export interface PlotLine {
  name: string;
  x: readonly number[];
  y: readonly number[];
}

export interface PlotOptions {
  title: string;
  /** what is across, and what the numbers up are */
  across: string;
  up: string;
  /** default: a few digits */
  format?: (value: number) => string;
  formatAcross?: (value: number) => string;
  /** what the axis holds at least */
  range?: readonly [low: number, high: number];
  /** values across that have a line of their own */
  marks?: readonly number[];
}

/** Lines with a mark at each point; what is no number is left out. `legend` says which is which. */
export function plotSvg(
  lines: readonly PlotLine[],
  { title, across, up, format = tick, formatAcross, range, marks = [] }: PlotOptions,
): Html {
  const points = lines.map(({ x, y }) =>
    x.flatMap((at, i) => (Number.isFinite(y[i]) ? [{ x: at, y: y[i] }] : [])),
  );
  const all = points.flat();
  if (all.length === 0) return html`<p class="hint">${title}: no number came out.</p>`;
  const xs = lines.flatMap(({ x }) => x);
  const line = (scale: Scale, i: number) =>
    html`<g class="run ${lineClass(i)}"><polyline points="${points[i].map(scale.at).join(' ')}"/>${points[i].map(({ x, y }) => html`<circle cx="${scale.x(x).toFixed(1)}" cy="${scale.y(y).toFixed(1)}" r="3"/>`)}</g>`;
  return chart({
    title,
    label: `${title}: ${up} over ${across}, of ${lines.map(({ name }) => name).join(', ')}`,
    format,
    values: [...all.map(({ y }) => y), ...(range ?? [])],
    first: Math.min(...xs),
    last: Math.max(...xs),
    across,
    formatAcross,
    draw: (scale) =>
      html`${marks.map((value) => upright(scale, value))}${lines.map((_, i) => line(scale, i))}`,
  });
}
