/** What of a network is in sight: a row an item or a folded block, and the edges between rows. */
import type { Item } from './items';

export interface Row {
  /** of a block its name and where it begins, for a name may come twice */
  key: string;
  /** the items behind it: one, or all of a block */
  items: readonly Item[];
  /** the row of a block: it folds */
  isBlock: boolean;
  isOpen: boolean;
  /** 1: on its own or a block, 2: within a block */
  level: 1 | 2;
}

/** Items one after the other that are of one block. */
export function groupsOf(items: readonly Item[]): Item[][] {
  const groups: Item[][] = [];
  for (const item of items) {
    const last = groups[groups.length - 1];
    if (last && item.block !== '' && last[0].block === item.block) last.push(item);
    else groups.push([item]);
  }
  return groups;
}

/** @param open keys of the blocks that are unfolded */
export function rowsOf(items: readonly Item[], open: ReadonlySet<string>): Row[] {
  return groupsOf(items).flatMap((group): Row[] => {
    const [first] = group;
    if (group.length === 1) return [itemRow(first, 1)];
    const key = `${first.block} ${first.index}`;
    const isOpen = open.has(key);
    const head: Row = { key, items: group, isBlock: true, isOpen, level: 1 };
    return isOpen ? [head, ...group.map((item) => itemRow(item, 2))] : [head];
  });
}

const itemRow = (item: Item, level: 1 | 2): Row => ({
  key: String(item.index),
  items: [item],
  isBlock: false,
  isOpen: false,
  level,
});

/** Rows of the items whose name or kind has all words of a search, whatever is folded. */
export function foundRows(items: readonly Item[], search: string): Row[] {
  const wanted = search.toLowerCase().split(/\s+/).filter(Boolean);
  const hasAll = ({ name, kind }: Item) => {
    const text = `${name} ${kind}`.toLowerCase();
    return wanted.every((word) => text.includes(word));
  };
  return items.filter(hasAll).map((item) => itemRow(item, 1));
}

/** An edge from a row to a later one. */
export interface Edge {
  from: number;
  to: number;
  /** 0: down the middle, to the next row that has a point; above: beside it */
  lane: number;
}

/** Lanes beside the rows at most; further edges share the last. */
export const MAX_LANES = 7;

/**
 * The edges between rows, each once, and in which lane each runs: short ones inside, and none of one lane over another. The row of an
 * open block has no point: what goes into its items goes to their rows.
 */
export function edgesOf(rows: readonly Row[]): Edge[] {
  const rowOf = new Map<number, number>();
  for (const [at, row] of rows.entries())
    if (!(row.isBlock && row.isOpen)) for (const { index } of row.items) rowOf.set(index, at);
  const points = [...new Set(rowOf.values())].sort((a, b) => a - b);
  const next = new Map(points.map((at, i) => [at, points[i + 1]]));
  const edges: Edge[] = [];
  const seen = new Set<string>();
  for (const [at, row] of rows.entries()) {
    if (row.isBlock && row.isOpen) continue;
    for (const input of row.items.flatMap(({ inputs }) => inputs)) {
      const from = rowOf.get(input);
      if (from === undefined || from === at || seen.has(`${from} ${at}`)) continue;
      seen.add(`${from} ${at}`);
      edges.push({ from, to: at, lane: next.get(from) === at ? 0 : -1 });
    }
  }
  layLanes(edges.filter(({ lane }) => lane < 0));
  return edges;
}

function layLanes(edges: Edge[]): void {
  /** of each lane the edges that are in it */
  const lanes: Edge[][] = [];
  for (const edge of edges.sort((a, b) => a.to - a.from - (b.to - b.from) || a.from - b.from)) {
    const isFree = (lane: Edge[]) => lane.every((other) => other.to <= edge.from || other.from >= edge.to);
    let at = lanes.findIndex(isFree);
    if (at < 0) {
      if (lanes.length < MAX_LANES) lanes.push([]);
      at = lanes.length - 1;
    }
    lanes[at].push(edge);
    edge.lane = at + 1;
  }
}
