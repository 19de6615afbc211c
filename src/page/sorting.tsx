/** Tables whose rows a click on a column's head orders. */
import { useMemo, useState } from 'preact/hooks';

export interface Column<Row> {
  name: string;
  /** what rows are ordered by; text by its letters, what is undefined last */
  by: (row: Row) => number | string | undefined;
  isNumber?: boolean;
}

interface Order {
  column: number;
  isDown: boolean;
}

/** Rows in the order that was asked for, at first in their own; and the cells of the head. */
export function useSorted<Row>(rows: readonly Row[], columns: readonly Column<Row>[]) {
  const [order, setOrder] = useState<Order | undefined>(undefined);
  const sorted = useMemo(
    () => (order ? sortBy(rows, columns[order.column].by, order.isDown) : rows),
    [rows, order],
  );
  // numbers begin with the largest, a third click brings the rows' own order back
  const next = (column: number): Order | undefined => {
    const first = columns[column].isNumber === true;
    if (order?.column !== column) return { column, isDown: first };
    return order.isDown === first ? { column, isDown: !first } : undefined;
  };
  const head = columns.map(({ name, isNumber }, column) => (
    <th
      key={name}
      scope="col"
      class={isNumber ? 'number' : undefined}
      aria-sort={order?.column !== column ? 'none' : order.isDown ? 'descending' : 'ascending'}
    >
      <button type="button" class="sort" onClick={() => setOrder(next(column))}>
        {name}
      </button>
    </th>
  ));
  return { sorted, head };
}

export function sortBy<Row>(rows: readonly Row[], by: Column<Row>['by'], isDown: boolean): readonly Row[] {
  const sign = isDown ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [x, y] = [by(a), by(b)];
    if (x === undefined || y === undefined) return Number(x === undefined) - Number(y === undefined);
    if (typeof x === 'number' && typeof y === 'number') return sign * (x - y);
    return sign * String(x).localeCompare(String(y), undefined, { numeric: true });
  });
}
