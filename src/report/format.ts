/** Numbers as the page shows them. */

/** A number and its unit stay on one line. */
const NBSP = '\u00a0';

/** A whole number, its thousands apart: `12,345`. Not by `Intl`, whose first use takes a page 50 ms as it opens. */
export const count = (value: number): string => value.toFixed(0).replace(/\B(?=(\d{3})+$)/g, ',');

/** A fraction as a percentage; `digits` after the point. */
export const percent = (fraction: number, digits = 2): string =>
  `${(100 * fraction).toFixed(digits)}${NBSP}%`;

/** A moment as results have it, without what nobody reads: `2026-11-27, 06:29 UTC`. */
export const moment = (iso: string): string =>
  iso.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d).*Z$/, `$1, $2${NBSP}UTC`);

/** The difference of two fractions in points, with its sign. */
export function points(difference: number): string {
  const text = (100 * difference).toFixed(2);
  // what rounds to zero has no sign of its own
  return `${Number(text) < 0 ? text.replace('-', '−') : `+${text.replace('-', '')}`}${NBSP}points`;
}

/** `12.3 MB`: thousands are carried to the next unit. */
function scaled(value: number, units: readonly string[]): string {
  let unit = 0;
  let rest = value;
  while (rest >= 1000 && unit < units.length - 1) {
    rest /= 1000;
    unit++;
  }
  return `${unit === 0 || rest >= 100 ? rest.toFixed(0) : rest.toFixed(1)}${NBSP}${units[unit]}`;
}

export const bytes = (value: number): string => scaled(value, ['B', 'kB', 'MB', 'GB', 'TB']);

/** Floating-point operations. */
export const operations = (value: number): string =>
  scaled(value, ['FLOP', 'kFLOP', 'MFLOP', 'GFLOP', 'TFLOP']);

/** Milliseconds in three digits or fewer after the point, without the unit: `1,974`, `41.4`, `0.31`. */
export const milliseconds = (ms: number): string =>
  ms >= 100 ? count(ms) : ms >= 10 ? ms.toFixed(1) : ms.toFixed(2);

/** Seconds as `45 s`, `3 min 05 s` or `2 h 10 min`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  const s = Math.ceil(seconds);
  if (s < 60) return `${s}${NBSP}s`;
  const two = (n: number) => String(n).padStart(2, '0');
  if (s < 3600) return `${Math.floor(s / 60)} min ${two(s % 60)} s`;
  return `${Math.floor(s / 3600)} h ${two(Math.floor((s % 3600) / 60))} min`;
}

/** Three significant digits, whole above a thousand, scientific where that is shorter: `0.0342`, `2,140`, `1.20e−6`. */
export function significant(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  const isWhole = size >= 1000 && size < 1e5;
  const text = isWhole
    ? count(value)
    : size < 1e-3 || size >= 1e5
      ? value.toExponential(2)
      : value.toPrecision(3);
  return text.replaceAll('-', '−');
}

/** A tick of an axis, which is a round number but for its rounding: no more digits than it needs. */
export const tick = (value: number): string => String(Number(value.toPrecision(6)));
