/** A search's curve as numbers of a drawing. */
import type { RateSearch } from '../../api';

const WIDTH = 320;
const HEIGHT = 110;
/** Losses of more than so many times the first are cut off: a search ends in such. */
const CEILING = 2;

/** The line of smoothed losses, the suggested rate's place, and what the axes say; undefined without a line. */
export function rateLine(points: RateSearch['points'], suggestion?: number) {
  if (points.length < 2) return undefined;
  const losses = points.map(({ smoothed }) => smoothed);
  const low = Math.min(...losses);
  const high = Math.max(low + 1e-9, Math.min(Math.max(...losses), CEILING * losses[0]));
  const [first, last] = [points[0].lr, points[points.length - 1].lr];
  const x = (lr: number) => Number(((WIDTH * Math.log(lr / first)) / Math.log(last / first)).toFixed(1));
  const y = (loss: number) =>
    Number((2 + ((HEIGHT - 4) * (high - Math.min(loss, high))) / (high - low)).toFixed(1));
  return {
    width: WIDTH,
    height: HEIGHT,
    line: points.map(({ lr, smoothed }) => `${x(lr)},${y(smoothed)}`).join(' '),
    mark: suggestion === undefined ? undefined : x(suggestion),
    ...{ low: short(low), high: short(high), first: short(first), last: short(last) },
  };
}

const short = (value: number): string => String(Number(value.toPrecision(2)));
