/** The curve of a search for a learning rate as text. */
import type { RateSearch } from '../api';

const WIDTH = 64;
const HEIGHT = 12;
/** Losses above so many times the lowest are off the chart: a search ends in such. */
const CEILING = 2;

/**
 * Lines of a chart: smoothed loss (*) by rate, from the first rate to the last in equal factors, and the suggested rate (|).
 * What lies above the chart stands in its topmost line.
 */
export function rateChart({ points, suggestion }: RateSearch): string[] {
  if (points.length < 2) return [];
  const losses = points.map(({ smoothed }) => smoothed);
  const low = Math.min(...losses);
  const high = Math.max(low + 1e-9, Math.min(Math.max(...losses), CEILING * Math.max(low, losses[0])));
  const [first, last] = [points[0].lr, points[points.length - 1].lr];
  const column = (lr: number) => Math.round(((WIDTH - 1) * Math.log(lr / first)) / Math.log(last / first));
  const row = (loss: number) => Math.round(((HEIGHT - 1) * (high - Math.min(loss, high))) / (high - low));
  const cells = Array.from({ length: HEIGHT }, () => new Array<string>(WIDTH).fill(' '));
  if (suggestion !== undefined) for (const line of cells) line[column(suggestion)] = '|';
  for (const { lr, smoothed } of points) cells[row(smoothed)][column(lr)] = '*';
  const labels = cells.map(
    (_, i) => (i === 0 ? high : i === HEIGHT - 1 ? low : undefined)?.toPrecision(3) ?? '',
  );
  const margin = Math.max(...labels.map(({ length }) => length));
  const lines = cells.map((line, i) => `${labels[i].padStart(margin)} ${line.join('').trimEnd()}`.trimEnd());
  const ends = [first, last].map((lr) => lr.toPrecision(2));
  return [...lines, `${' '.repeat(margin + 1)}${ends[0].padEnd(WIDTH - ends[1].length)}${ends[1]}`];
}
