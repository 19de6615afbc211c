/** One chart of a curve, drawn by uPlot. */
import { signal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { duration } from '../format';
import { colour, theme } from '../theme';
import { type Axis, type Curve, logTicks, type Range } from './curves';

/** A line of a chart: each step, smoothed, the test's points, the base. */
export type Line = 'raw' | 'smoothed' | 'test' | 'base';

/** the part of the axis that all charts show; undefined: the whole run */
export const zoom = signal<Range | undefined>(undefined);

interface ChartProps {
  /** where the drawn chart is left for downloads */
  plot: RefObject<uPlot | null>;
  curve: Curve;
  lines: readonly Line[];
  axis: Axis;
  isLog: boolean;
  /** whether zero is in sight: a change that is small beside the values looks small */
  isFromZero: boolean;
  format: (value: number) => string;
  formatTick: (value: number) => string;
  height: number;
  /** what a screen reader hears */
  label: string;
}

const toData = (curve: Curve, lines: readonly Line[]): uPlot.AlignedData => [
  curve.x,
  ...lines.map((line) => curve[line]),
];

export function Chart({ plot, label, ...props }: ChartProps) {
  const { curve, lines, axis, isLog, height } = props;
  const place = useRef<HTMLDivElement>(null);
  const frame = useRef(0);
  const kinds = lines.join(' ');
  useEffect(() => {
    const element = place.current!;
    const drawn = new uPlot(
      chartOptions({ ...props, width: element.clientWidth }),
      toData(curve, lines),
      element,
    );
    plot.current = drawn;
    showLatest(drawn);
    const observer = new ResizeObserver(() => drawn.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    // a browser that lost the canvas, as when the GPU's process ended, gives an empty one back
    drawn.ctx.canvas.addEventListener('contextrestored', () => drawn.redraw());
    return () => {
      observer.disconnect();
      cancelAnimationFrame(frame.current);
      drawn.destroy();
      plot.current = null;
    };
    // theme: its colours are read while drawing
  }, [axis, isLog, kinds, height, theme.value]);
  useEffect(() => {
    // Steps may arrive faster than frames.
    cancelAnimationFrame(frame.current);
    frame.current = requestAnimationFrame(() => {
      const drawn = plot.current;
      drawn?.setData(toData(curve, lines));
      if (drawn) showLatest(drawn);
    });
  }, [curve, kinds]);
  return <div ref={place} class="plot" role="img" aria-label={label} />;
}

type ChartOptions = Omit<ChartProps, 'plot' | 'curve' | 'label'> & { width: number };

/** What lies between two ticks of an axis that counts: 1, 2, 5, 10 and so on. */
export const WHOLE = Array.from({ length: 10 }, (_, power) => [1, 2, 5].map((n) => n * 10 ** power)).flat();

const AXES: Record<Axis, string> = { step: 'Step', epoch: 'Epoch', time: 'Time' };

function chartOptions({
  axis,
  isLog,
  isFromZero,
  format,
  formatTick,
  lines,
  width,
  height,
}: ChartOptions): uPlot.Options {
  const value = (_: uPlot, v: number | null | undefined) => (v == null ? '–' : format(v));
  const axes = { stroke: colour('soft'), font: `11px ${fontFamily()}`, ticks: { show: false } };
  const grid = { stroke: colour('line'), width: 1 };
  const isTime = axis === 'time';
  const at = (x: number | null) => (x == null ? '–' : isTime ? duration(x) : String(round(x)));
  return {
    width,
    height,
    cursor: {
      sync: { key: 'refocus' },
      drag: { x: true, y: false, setScale: false },
      bind: {
        dblclick: () => () => {
          zoom.value = undefined;
          return null;
        },
      },
    },
    hooks: { setSelect: [zoomToSelection], setCursor: [showLatest] },
    legend: { live: true },
    scales: {
      x: {
        time: false,
        range: (_, min, max) => (zoom.value ? [zoom.value.min, zoom.value.max] : [min, max]),
      },
      y: isLog
        ? // before a first step there is no least and no most
          { distr: 3, range: (_, min, max) => (min > 0 ? [min / 1.1, max * 1.1] : [0.1, 1]) }
        : isFromZero
          ? { range: (_, __, max) => [0, max * 1.05 || 1] }
          : {},
    },
    axes: [
      {
        ...axes,
        grid: { show: false },
        size: 26,
        ...(axis === 'step' && { incrs: WHOLE }),
        ...(isTime && { values: (_, ticks) => ticks.map((seconds) => duration(seconds)) }),
      },
      {
        ...axes,
        grid,
        size: 54,
        values: (_, ticks) => ticks.map(formatTick),
        ...(isLog && { splits: (_, __, min, max) => logTicks(min, max), filter: (_, ticks) => ticks }),
      },
    ],
    series: [
      { label: AXES[axis], value: (_, x) => at(x) },
      ...lines.map((line) => ({ ...seriesOf(line, lines.includes('smoothed')), value })),
    ],
  };
}

/** @param isSmoothed each step is faint behind a smoothed line */
function seriesOf(line: Line, isSmoothed: boolean): uPlot.Series {
  const points = { show: false };
  const train = colour('train');
  const test = colour('test');
  switch (line) {
    case 'raw':
      return {
        label: 'Each step',
        stroke: isSmoothed ? colour('train-faint') : train,
        width: isSmoothed ? 1 : 2,
        points,
      };
    case 'smoothed':
      return { label: 'Smoothed', stroke: train, width: 2, points };
    case 'test':
      return {
        label: 'Test',
        stroke: test,
        width: 0,
        paths: () => null,
        points: { show: true, size: 9, width: 2, stroke: test, fill: colour('panel') },
      };
    case 'base':
      return { label: 'Base', stroke: colour('base'), width: 1.5, dash: [6, 5], points };
  }
}

/** Where nobody points at a chart, its figures are the latest of each line, which need not be those of one step. */
export function showLatest(chart: uPlot): void {
  if (chart.cursor.idx != null || chart.data[0].length === 0) return;
  const idxs = chart.data.map((values) => {
    let last = values.length - 1;
    while (last > 0 && values[last] == null) last--;
    return last;
  });
  chart.setLegend({ idxs }, false);
}

/** A drag of fewer pixels is a click. */
const LEAST_DRAG = 4;

/** All charts show what was dragged over in one of them. */
function zoomToSelection(chart: uPlot): void {
  const { left, width } = chart.select;
  if (width < LEAST_DRAG) return;
  zoom.value = { min: chart.posToVal(left, 'x'), max: chart.posToVal(left + width, 'x') };
  chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
}

const round = (x: number): number => Math.round(x * 100) / 100;

const fontFamily = (): string => getComputedStyle(document.body).fontFamily;

/** The chart as it stands, with its title, on the page's colour. */
export async function chartPng(plot: uPlot, title: string): Promise<Blob> {
  const { canvas: source } = plot.ctx;
  const scale = devicePixelRatio;
  const head = 32 * scale;
  const canvas = document.createElement('canvas');
  canvas.width = source.width;
  canvas.height = source.height + head;
  const context = canvas.getContext('2d')!;
  context.fillStyle = colour('panel');
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = colour('ink');
  context.font = `600 ${14 * scale}px ${fontFamily()}`;
  context.fillText(title, 12 * scale, 20 * scale);
  context.drawImage(source, 0, head);
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('The chart could not be drawn')))),
  );
}
