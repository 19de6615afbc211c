/** A confusion matrix of many classes as a picture: a dot for each pair that has images. */
import { useMemo, useState } from 'preact/hooks';
import { useCanvas } from '../canvas';
import { count } from '../format';
import { theme } from '../theme';
import type { Cell, Confusion } from './figures';

/** Side of the picture, and of a dot at least, pixels of the canvas. */
const SIDE = 840;
const LEAST = 3;
/** A click this far from a dot means it, pixels of the canvas. */
const REACH = 16;

interface PictureProps {
  confusion: Confusion;
  /** the classes' order */
  places: readonly number[];
  chosen?: Cell;
  onCell: (cell: Cell) => void;
}

/** A cell where it stands in the order. */
interface Dot {
  cell: Cell;
  x: number;
  y: number;
}

export function ConfusionPicture({ confusion, places, chosen, onCell }: PictureProps) {
  const dots = useMemo(() => dotsOf(confusion, places), [confusion, places]);
  const [seen, setSeen] = useState<Cell | undefined>(undefined);
  const [isByKeys, setByKeys] = useState(false);
  const pitch = SIDE / places.length;
  const shown = seen ?? chosen;
  const canvas = useCanvas(
    (context) => draw(context, confusion, dots, pitch, shown),
    [dots, shown, theme.value],
  );
  const near = (event: MouseEvent) => nearest(event, dots, pitch)?.cell;
  return (
    <>
      <canvas
        ref={canvas}
        class="confusion-picture"
        width={SIDE}
        height={SIDE}
        role="img"
        tabIndex={0}
        aria-label={`Confusion matrix of ${count(places.length)} classes: rows are the images’ classes, columns what they are told. Arrow keys go through the pairs, Enter shows the images of one.`}
        onPointerMove={(event) => {
          setByKeys(false);
          setSeen(near(event));
        }}
        onPointerLeave={() => setSeen(undefined)}
        onClick={(event) => {
          const cell = near(event);
          if (cell) onCell(cell);
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && seen) onCell(seen);
          const next = neighbour(event.key, dots, shown);
          if (!next && event.key !== 'Enter') return;
          event.preventDefault();
          setByKeys(true);
          if (next) setSeen(next.cell);
        }}
      />
      <p class="readout" aria-live={isByKeys ? 'polite' : 'off'}>
        {shown ? (
          <>
            {count(shown.images.length)} of <bdi>{shown.label}</bdi> told <bdi>{shown.predicted}</bdi>
          </>
        ) : (
          <span class="hint">
            On the diagonal what is told right; the stronger a dot, the larger its share of the row.
          </span>
        )}
      </p>
    </>
  );
}

/** By rows, then columns. */
function dotsOf({ cells, classes }: Confusion, places: readonly number[]): Dot[] {
  const at = new Array<number>(classes.length);
  for (const [position, place] of places.entries()) at[place] = position;
  return cells
    .map((cell) => ({ cell, x: at[cell.column], y: at[cell.row] }))
    .sort((a, b) => a.y - b.y || a.x - b.x);
}

function draw(
  context: CanvasRenderingContext2D,
  { classes }: Confusion,
  dots: readonly Dot[],
  pitch: number,
  shown?: Cell,
): void {
  const style = getComputedStyle(context.canvas);
  const [right, wrong, ink] = ['--train', '--test', '--ink'].map((name) => style.getPropertyValue(name));
  const size = Math.max(pitch, LEAST);
  context.clearRect(0, 0, SIDE, SIDE);
  for (const { cell, x, y } of dots) {
    context.fillStyle = cell.row === cell.column ? right : wrong;
    // a single image of a large class is still seen
    context.globalAlpha = 0.25 + 0.75 * (cell.images.length / classes[cell.row].images);
    context.fillRect(x * pitch, y * pitch, size, size);
  }
  context.globalAlpha = 1;
  const mark = dots.find(({ cell }) => cell === shown);
  if (!mark) return;
  context.strokeStyle = ink;
  context.lineWidth = 2;
  context.strokeRect(mark.x * pitch - 4, mark.y * pitch - 4, size + 8, size + 8);
}

function nearest(event: MouseEvent, dots: readonly Dot[], pitch: number): Dot | undefined {
  const { left, top, width } = (event.currentTarget as HTMLElement).getBoundingClientRect();
  const scale = SIDE / width;
  const [x, y] = [(event.clientX - left) * scale, (event.clientY - top) * scale];
  let best: Dot | undefined;
  let least = Math.max(REACH, pitch / 2);
  for (const dot of dots) {
    const distance = Math.max(Math.abs((dot.x + 0.5) * pitch - x), Math.abs((dot.y + 0.5) * pitch - y));
    if (distance >= least) continue;
    least = distance;
    best = dot;
  }
  return best;
}

/** The next dot to the right or left, in reading order, or the nearest of the next row that has one. */
function neighbour(key: string, dots: readonly Dot[], from?: Cell): Dot | undefined {
  const at = dots.findIndex(({ cell }) => cell === from);
  const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
  if (step) return dots[at < 0 ? 0 : at + step];
  const down = { ArrowDown: 1, ArrowUp: -1 }[key];
  if (!down) return undefined;
  if (at < 0) return dots[0];
  const { x, y } = dots[at];
  const beyond = dots.filter((dot) => (dot.y - y) * down > 0);
  if (beyond.length === 0) return undefined;
  const row = down > 0 ? beyond[0].y : beyond[beyond.length - 1].y;
  return beyond
    .filter((dot) => dot.y === row)
    .reduce((a, b) => (Math.abs(b.x - x) < Math.abs(a.x - x) ? b : a));
}
