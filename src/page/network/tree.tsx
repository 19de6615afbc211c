/** The rows of a network with its graph beside them. Only rows in sight are there, so that a thousand cost what fifty do. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { breakable } from '../breakable';
import { count, operations, significant } from '../format';
import { preview } from '../input/sources';
import { maps } from '../settings/maps';
import { Rail, ROW, railWidth } from './rail';
import type { Row } from './rows';
import { chosen, edges, rows, toggle } from './view';

/** Rows before and behind those in sight that are there too. */
const MARGIN = 12;

export function Tree() {
  const box = useRef<HTMLElement>(null);
  const top = useSignal(0);
  const height = useSignal(600);
  /** the row that the Tab key comes to */
  const current = useSignal(0);
  const all = rows.value;
  const first = Math.max(0, Math.floor(top.value / ROW) - MARGIN);
  const end = Math.min(all.length, Math.ceil((top.value + height.value) / ROW) + MARGIN);
  const at = Math.min(current.value, all.length - 1);
  useEffect(() => {
    // held here: the reference is empty once another network takes the rows' place
    const element = box.current!;
    const observer = new ResizeObserver(() => {
      height.value = element.clientHeight;
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const goTo = (next: number) => {
    const to = Math.max(0, Math.min(all.length - 1, next));
    current.value = to;
    const element = box.current!;
    // the head covers the first row's height
    if (to * ROW < element.scrollTop) element.scrollTop = to * ROW;
    const last = (to + 2) * ROW - element.clientHeight;
    if (last > element.scrollTop) element.scrollTop = last;
    top.value = element.scrollTop;
    requestAnimationFrame(() => element.querySelector<HTMLElement>(`[aria-rowindex="${to + 2}"]`)?.focus());
  };
  const onKey = (event: KeyboardEvent) => {
    const row = all[at];
    const page = Math.max(1, Math.floor(height.value / ROW) - 2);
    const moves: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: all.length - 1,
    };
    if (event.key in moves) goTo(moves[event.key]);
    else if (event.key === 'ArrowRight' && row.isBlock && !row.isOpen) toggle(row.key);
    else if (event.key === 'ArrowLeft' && row.isBlock && row.isOpen) toggle(row.key);
    else if (event.key === 'ArrowLeft' && row.level === 2)
      goTo(all.findLastIndex((other, i) => i < at && other.isBlock));
    else if (event.key === 'Enter' || event.key === ' ') choose(row);
    else return;
    event.preventDefault();
  };

  return (
    <section
      ref={box}
      class="scroll network-tree"
      aria-label="Layers in order of execution"
      style={{
        '--rail': `${railWidth(edges.value)}px`,
        height: `min(34rem, ${(all.length + 1) * ROW + 2}px)`,
      }}
      onScroll={(event) => {
        top.value = event.currentTarget.scrollTop;
      }}
    >
      {/* rows that are not there leave their room; the rail has all of it */}
      <table
        // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: rows fold and are gone through by arrow keys
        role="treegrid"
        aria-label="Layers"
        aria-rowcount={all.length + 1}
        style={{ marginTop: `${first * ROW}px` }}
        onKeyDown={onKey}
      >
        <Head />
        <tbody>
          {all.slice(first, end).map((row, i) => (
            <RowLine
              key={row.key}
              row={row}
              index={first + i}
              isCurrent={first + i === at}
              onFocus={() => {
                current.value = first + i;
              }}
            />
          ))}
        </tbody>
      </table>
      <Rail rows={all} edges={edges.value} first={first} end={end} />
    </section>
  );
}

function choose(row: Row): void {
  if (row.isBlock) toggle(row.key);
  else chosen.value = row.items[0].index;
}

const Head = () => (
  <thead>
    <tr aria-rowindex={1}>
      <th scope="col">Layer</th>
      <th scope="col">What it does</th>
      <th scope="col" class="number">
        Output
      </th>
      <th scope="col" class="number">
        Parameters
      </th>
      <th scope="col" class="number">
        Multiply-adds
      </th>
      <th scope="col" class="number">
        Mean KL
      </th>
    </tr>
  </thead>
);

interface RowLineProps {
  row: Row;
  index: number;
  isCurrent: boolean;
  onFocus: () => void;
}

function RowLine({ row, index, isCurrent, onFocus }: RowLineProps) {
  const { items, isBlock, isOpen, level } = row;
  const [first] = items;
  const last = items[items.length - 1];
  const sum = (of: 'parameters' | 'multiplyAdds') => items.reduce((total, item) => total + item[of], 0);
  const mapped = items.filter(({ name }) => maps.value.names.includes(name)).length;
  return (
    <tr
      aria-rowindex={index + 2}
      aria-level={level}
      aria-expanded={isBlock ? isOpen : undefined}
      aria-selected={!isBlock && chosen.value === first.index}
      tabIndex={isCurrent ? 0 : -1}
      class={isBlock ? 'block' : level === 2 ? 'inner' : undefined}
      onClick={() => choose(row)}
      onFocus={onFocus}
    >
      <th scope="row">
        {isBlock && (
          <span class="fold" aria-hidden="true">
            {isOpen ? '▾' : '▸'}
          </span>
        )}
        {breakable(isBlock ? first.block : first.name)}
        {mapped > 0 && (
          <span class="mapped" title={isBlock ? `${mapped} of its convolutions get a map` : 'gets a map'}>
            {' '}
            ●<span class="sr-only"> gets a map</span>
          </span>
        )}
      </th>
      <td>{isBlock ? `${items.length} layers` : first.kind}</td>
      <td class="number">{shapeText(last.shape)}</td>
      <td class="number">{sum('parameters') > 0 && count(sum('parameters'))}</td>
      <td class="number">{sum('multiplyAdds') > 0 && operations(sum('multiplyAdds')).replace('FLOP', '')}</td>
      <td class="number">{redundancyText(row)}</td>
    </tr>
  );
}

const shapeText = ([height, width, channels]: readonly number[]): string =>
  height === 1 && width === 1 ? String(channels) : `${height}×${width}×${channels}`;

function redundancyText({ items }: Row): string {
  const seen = preview.value;
  if (seen.state !== 'ready' || items.length > 1) return '';
  const found = seen.redundancy.find(({ name }) => name === items[0].name);
  return found ? significant(found.divergence) : '';
}
