/** Matrices as SVG in colours that all eyes tell apart (viridis), with a scale beside them. */
import { contours } from 'd3-contour';
import { interpolateViridis } from 'd3-scale-chromatic';
import { tick } from '../format';
import { type Html, html } from '../html';

/** Side of a picture in its own units. */
const SIDE = 240;
/** Levels of a contour picture. */
const LEVELS = 12;

export interface Scale {
  low: number;
  high: number;
}

/** Of shares and likenesses. */
export const UNIT_SCALE: Scale = { low: 0, high: 1 };

/** Losses above so many times the least are not told apart: one wild corner must not take all of the scale. */
const CEILING = 6;
/** That the least loss counts as at least: a perfect network's is nothing. */
const LEAST = 0.5;

/** A scale for losses. */
export function lossScale(losses: readonly number[]): Scale {
  const finite = losses.filter(Number.isFinite);
  const low = Math.min(...finite);
  return { low, high: Math.max(low + 1e-9, Math.min(Math.max(...finite), CEILING * Math.max(low, LEAST))) };
}

const colour = (value: number, { low, high }: Scale): string =>
  interpolateViridis(Math.min(1, Math.max(0, (value - low) / (high - low || 1))));

const short = (value: number): string => tick(Number(value.toPrecision(3)));

/** The colours of a scale with its ends. */
export function scaleBar({ low, high }: Scale, format: (value: number) => string = short): Html {
  const parts = 24;
  const value = (i: number) => low + ((i + 0.5) / parts) * (high - low);
  return html`<span class="scale">${format(low)}<svg viewBox="0 0 ${parts * 5} 10" role="img" aria-label="from ${format(low)}, dark, to ${format(high)}, light">${Array.from({ length: parts }, (_, i) => html`<rect x="${i * 5}" width="5.5" height="10" fill="${colour(value(i), { low, high })}"/>`)}</svg>${format(high)}</span>`;
}

/** A cell a number, the first row on top; what is no number stays empty. */
export function cellsSvg(matrix: readonly (readonly number[])[], label: string, scale: Scale): Html {
  const [rows, columns] = [matrix.length, matrix[0].length];
  const [height, width] = [SIDE / rows, SIDE / columns];
  const cell = (value: number, row: number, column: number) =>
    Number.isFinite(value) &&
    // a little larger than its place: no seams
    html`<rect x="${(column * width).toFixed(2)}" y="${(row * height).toFixed(2)}" width="${(width + 0.3).toFixed(2)}" height="${(height + 0.3).toFixed(2)}" fill="${colour(value, scale)}"/>`;
  return html`<svg viewBox="0 0 ${SIDE} ${SIDE}" role="img" aria-label="${label}">${matrix.map((line, row) => line.map((value, column) => cell(value, row, column)))}</svg>`;
}

/**
 * A surface by its contours, filled; the first row at the bottom, as an axis upwards goes. Values above the scale have its last
 * colour, and what is no number has it too.
 */
export function contoursSvg(surface: readonly (readonly number[])[], label: string, scale: Scale): Html {
  const rows = surface.length;
  const columns = surface[0].length;
  const { low, high } = scale;
  const values = [...surface].reverse().flatMap((row) => row.map((v) => (Number.isFinite(v) ? v : high)));
  const levels = Array.from({ length: LEVELS }, (_, i) => low + (i / LEVELS) * (high - low));
  const shapes = contours().size([columns, rows]).thresholds(levels)(values);
  // a value lies in the middle of its cell; the picture ends with the outermost values
  const scaleOf = (count: number) => SIDE / (count - 1);
  const point = ([x, y]: number[]) =>
    `${((x - 0.5) * scaleOf(columns)).toFixed(1)} ${((y - 0.5) * scaleOf(rows)).toFixed(1)}`;
  const path = (polygons: number[][][][]) =>
    polygons.flatMap((rings) => rings.map((ring) => `M${ring.map(point).join('L')}Z`)).join('');
  const middle = SIDE / 2;
  return html`<svg viewBox="0 0 ${SIDE} ${SIDE}" role="img" aria-label="${label}"><rect width="${SIDE}" height="${SIDE}" fill="${colour(low, scale)}"/>${shapes.map(({ value, coordinates }) => html`<path d="${path(coordinates)}" fill="${colour(value + (high - low) / (2 * LEVELS), scale)}" stroke="#fff" stroke-opacity="0.35" stroke-width="0.6"/>`)}<path d="M${middle - 5} ${middle}h10M${middle} ${middle - 5}v10" stroke="#fff" stroke-width="1.6"/></svg>`;
}
