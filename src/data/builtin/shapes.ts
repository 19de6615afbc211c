/**
 * Shapes of the built-in image set as signed distances (negative inside) in a frame where the shape fits the
 * unit disc. Sums, products and square roots only: the same bits on every platform.
 */
export type Shape = (x: number, y: number) => number;

const SIN_60 = 0.8660254037844386;
/** Normals of a regular pentagon's sides. */
const PENTAGON = [
  [0, -1],
  [0.9510565162951535, -0.3090169943749474],
  [0.5877852522924731, 0.8090169943749475],
  [-0.5877852522924731, 0.8090169943749475],
  [-0.9510565162951535, -0.3090169943749474],
];

const length = (x: number, y: number) => Math.sqrt(x * x + y * y);

export const disc: Shape = (x, y) => length(x, y) - 0.9;

export const ring: Shape = (x, y) => Math.abs(length(x, y) - 0.7) - 0.24;

/** A ring with a gap of a quarter. */
export const horseshoe: Shape = (x, y) => Math.max(ring(x, y), (x - Math.abs(y)) * Math.SQRT1_2 + 0.05);

export const crescent: Shape = (x, y) => Math.max(length(x, y) - 1, 0.8 - length(x - 0.5, y));

export const square: Shape = (x, y) => Math.max(Math.abs(x), Math.abs(y)) - 0.8;

export const triangle: Shape = (x, y) => Math.max(Math.abs(x) * SIN_60 + y * 0.5, -y) - 0.55;

export const cross: Shape = (x, y) => {
  const [ax, ay] = [Math.abs(x), Math.abs(y)];
  return Math.max(Math.min(ax, ay) - 0.3, Math.max(ax, ay) - 1);
};

/** A pentagram: inside at least four of a pentagon's five half planes. */
export const star: Shape = (x, y) => {
  let largest = -Infinity;
  let second = -Infinity;
  for (const [nx, ny] of PENTAGON) {
    const side = nx * x + ny * y;
    if (side > largest) {
      second = largest;
      largest = side;
    } else if (side > second) second = side;
  }
  return second - 0.33;
};

/** A bar along x; clutter and occluders. */
export const bar: Shape = (x, y) => Math.max(Math.abs(y) - 0.18, Math.abs(x) - 1);
