/** Arms against the reference as SVG: each seed's difference, the mean and its interval. */
import type { ArmComparison } from '../experiment/arm-results';
import type { ExperimentResults } from '../experiment/results';
import { ticksOf } from './chart';
import { differenceText, labelOf, SHOWN } from './experiment-words';
import { figureOf } from './figure';
import { tick } from './format';
import { type Html, html } from './html';

const WIDTH = 640;
const LEFT = 240;
const RIGHT = 14;
const ROW = 26;
const TOP = 8;
const BOTTOM = 44;

/** A row an arm: its last accuracies less those of the reference, in points. An interval that holds zero shows no difference. */
export function differencesSvg(results: ExperimentResults): Html {
  const { experiment, comparisons } = results;
  const { reference } = experiment;
  const label = labelOf(results);
  const rows = comparisons.filter(({ against }) => against === reference);
  if (rows.length === 0) return html`<p class="hint">There is nothing to compare yet.</p>`;
  const values = rows.flatMap(({ last }) => [...last.differences, ...(last.interval ?? []), 0]);
  const [low, high] = rangeOf(values.map((value) => 100 * value));
  const x = (value: number) => (LEFT + ((value - low) / (high - low)) * (WIDTH - LEFT - RIGHT)).toFixed(1);
  const height = TOP + rows.length * ROW + BOTTOM;
  const bottom = height - BOTTOM;
  return html`<figure class="chart"><figcaption>Last ${figureOf(results.task).name}, less that of ${label(reference)}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${rows.map((row) => `${label(row.arm)}: ${differenceText(row.last)}, ${SHOWN[row.last.shown]}`).join('; ')}">
${ticksOf(low, high).map((value) => html`<g class="grid"><line x1="${x(value)}" x2="${x(value)}" y1="${TOP}" y2="${bottom}"/><text x="${x(value)}" y="${bottom + 18}" text-anchor="middle">${tick(value).replace('-', '−')}</text></g>`)}
<line class="base" x1="${x(0)}" x2="${x(0)}" y1="${TOP}" y2="${bottom}"/>
<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${height - 6}" text-anchor="middle">points of ${figureOf(results.task).name}</text>
${rows.map((row, i) => rowOf(row, label(row.arm), TOP + (i + 0.5) * ROW, x))}
</svg></figure>`;
}

function rowOf({ last }: ArmComparison, name: string, y: number, x: (value: number) => string): Html {
  const { differences, interval, mean } = last;
  const kind = last.shown === 'better' ? 'c0' : last.shown === 'worse' ? 'c2' : 'c1';
  return html`<g class="run ${kind}"><text x="${LEFT - 12}" y="${y}" dy=".35em" text-anchor="end">${name}</text>${interval !== null && html`<polyline points="${x(100 * interval[0])},${y} ${x(100 * interval[1])},${y}"/>`}${differences.map((value) => html`<polyline points="${x(100 * value)},${y - 5} ${x(100 * value)},${y + 5}"/>`)}<circle cx="${x(100 * mean)}" cy="${y}" r="4"/></g>`;
}

/** A little more than the values reach, so that no mark lies on the edge. */
function rangeOf(values: readonly number[]): [low: number, high: number] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const more = (high - low || 1) * 0.05;
  return [low - more, high + more];
}
