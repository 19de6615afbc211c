/** The graph beside the rows: a point a row, and a line for each edge. */
import type { Edge, Row } from './rows';

/** Height of a row, pixels; the style sheet has the same. */
export const ROW = 34;

const X = 14;
const LANE = 9;

/** Room for the lanes that there are, pixels. */
export const railWidth = (edges: readonly Edge[]): number =>
  2 * X + LANE * edges.reduce((most, { lane }) => Math.max(most, lane), 0);

interface RailProps {
  rows: readonly Row[];
  edges: readonly Edge[];
  /** rows from `first` up to but not `end` are drawn */
  first: number;
  end: number;
}

export function Rail({ rows, edges, first, end }: RailProps) {
  const y = (row: number) => (row + 0.5) * ROW;
  const near = edges.filter(({ from, to }) => to >= first && from < end);
  return (
    <svg
      class="rail"
      width={railWidth(edges)}
      height={rows.length * ROW}
      aria-hidden="true"
      focusable="false"
    >
      {near.map(({ from, to, lane }) => (
        <path key={`${from} ${to}`} class={lane > 0 ? 'skip' : 'edge'} d={pathOf(y(from), y(to), lane)} />
      ))}
      {rows
        .slice(first, end)
        .map((row, i) =>
          row.isBlock && row.isOpen ? null : <Point key={row.key} row={row} y={y(first + i)} />,
        )}
    </svg>
  );
}

function pathOf(from: number, to: number, lane: number): string {
  if (lane === 0) return `M${X} ${from}V${to}`;
  const x = X + lane * LANE;
  const bend = Math.min(ROW / 2, (to - from) / 2);
  return `M${X} ${from}Q${x} ${from} ${x} ${from + bend}V${to - bend}Q${x} ${to} ${X} ${to}`;
}

/** A block is a square, a layer a circle in the colour of its family. */
function Point({ row, y }: { row: Row; y: number }) {
  return row.isBlock ? (
    <rect class="point block" x={X - 5.5} y={y - 5.5} width={11} height={11} rx={2} />
  ) : (
    <circle class={`point ${row.items[0].family}`} cx={X} cy={y} r={5} />
  );
}
