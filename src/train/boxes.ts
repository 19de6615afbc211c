/** Boxes as a detector's grid of cells has them: what its cells are to tell, and the boxes that they tell. */
import { type Detection, suppress } from '../analysis/detection';
import type { ImageObject } from '../data/types';
import { CELL_NUMBERS } from '../ops/loss/detection';

/** Side of a cell, pixels: a detector's head has an image's sides over this. */
export const STRIDE = 4;

/** Scores below this are not worth a detection. */
const LEAST_SCORE = 0.05;
/** Detections of a class that overlap by more are of one object. */
const SAME_OBJECT = 0.5;
/** Detections of an image at most, the surest; torchvision's. */
const MOST = 100;

export interface Grid {
  rows: number;
  columns: number;
}

export const gridOf = ({ height, width }: { height: number; width: number }): Grid => ({
  rows: height / STRIDE,
  columns: width / STRIDE,
});

/**
 * What the cells of an image are to tell: `CELL_NUMBERS` each (see `detectionLoss`). A cell is an object's where its middle lies in the
 * middle half of the object's box, and the cell of the box's own middle always is; of several objects it is the smallest's.
 */
export function encodeObjects(
  objects: readonly ImageObject[],
  { rows, columns }: Grid,
  out: Float32Array,
): void {
  const largestFirst = objects.toSorted((a, b) => areaOf(b) - areaOf(a));
  for (const object of largestFirst) {
    const { left, top, right, bottom, label } = object;
    const [x, y, width, height] = [(left + right) / 2, (top + bottom) / 2, right - left, bottom - top];
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) {
        const [cx, cy] = [(column + 0.5) * STRIDE, (row + 0.5) * STRIDE];
        const isOwn = Math.floor(x / STRIDE) === column && Math.floor(y / STRIDE) === row;
        if (!isOwn && (Math.abs(cx - x) > width / 4 || Math.abs(cy - y) > height / 4)) continue;
        const box = [
          (x - cx) / STRIDE,
          (y - cy) / STRIDE,
          Math.log(width / STRIDE),
          Math.log(height / STRIDE),
        ];
        out.set([label + 1, 0, 0, 0, ...box], (row * columns + column) * CELL_NUMBERS);
      }
  }
}

const areaOf = ({ left, top, right, bottom }: ImageObject): number => (right - left) * (bottom - top);

/** Logits of an image: a row a cell of `stride` numbers, the first of them the scores of the classes, then a box. */
interface CellLogits {
  logits: Float32Array;
  stride: number;
  classes: number;
  grid: Grid;
}

/** The boxes that an image's cells tell, the surest first: one for each score that is not low, of an object one. */
export function decodeObjects({ logits, stride, classes, grid }: CellLogits): Detection[] {
  const found: Detection[] = [];
  for (let cell = 0; cell < grid.rows * grid.columns; cell++) {
    const at = logits.subarray(cell * stride, cell * stride + classes + 4);
    const [dx, dy, width, height] = at.subarray(classes);
    const x = ((cell % grid.columns) + 0.5 + dx) * STRIDE;
    const y = (Math.floor(cell / grid.columns) + 0.5 + dy) * STRIDE;
    const [halfWidth, halfHeight] = [(Math.exp(width) * STRIDE) / 2, (Math.exp(height) * STRIDE) / 2];
    const box = { left: x - halfWidth, top: y - halfHeight, right: x + halfWidth, bottom: y + halfHeight };
    for (let label = 0; label < classes; label++) {
      const score = 1 / (1 + Math.exp(-at[label]));
      if (score > LEAST_SCORE) found.push({ label, score, ...box });
    }
  }
  return suppress(found, SAME_OBJECT).slice(0, MOST);
}
