/** One chart of a curve, drawn by uPlot. */
import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { colour, theme } from '../theme';
import { type Axis, type Curve, logTicks } from './curves';

const HEIGHT = 190;

interface ChartProps {
  /** where the drawn chart is left for downloads */
  plot: RefObject<uPlot | null>;
  curve: Curve;
  axis: Axis;
  isLog: boolean;
  format: (value: number) => string;
  formatTick: (value: number) => string;
  hasBase: boolean;
  /** what a screen reader hears */
  label: string;
}

const toData = (curve: Curve, hasBase: boolean): uPlot.AlignedData => {
  const { x, raw, smoothed, test, base } = curve;
  return hasBase ? [x, raw, smoothed, test, base] : [x, raw, smoothed, test];
};

export function Chart({ plot, curve, axis, isLog, format, formatTick, hasBase, label }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const frame = useRef(0);
  useEffect(() => {
    const element = place.current!;
    const options = chartOptions({ axis, isLog, format, formatTick, hasBase, width: element.clientWidth });
    const drawn = new uPlot(options, toData(curve, hasBase), element);
    plot.current = drawn;
    const observer = new ResizeObserver(() => drawn.setSize({ width: element.clientWidth, height: HEIGHT }));
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
  }, [axis, isLog, hasBase, theme.value]);
  useEffect(() => {
    // Steps may arrive faster than frames.
    cancelAnimationFrame(frame.current);
    frame.current = requestAnimationFrame(() => plot.current?.setData(toData(curve, hasBase)));
  }, [curve, hasBase]);
  return <div ref={place} class="plot" role="img" aria-label={label} />;
}

interface ChartOptions {
  axis: Axis;
  isLog: boolean;
  format: (value: number) => string;
  formatTick: (value: number) => string;
  hasBase: boolean;
  width: number;
}

function chartOptions({ axis, isLog, format, formatTick, hasBase, width }: ChartOptions): uPlot.Options {
  const value = (_: uPlot, v: number | null | undefined) => (v == null ? '–' : format(v));
  const train = colour('train');
  const test = colour('test');
  const axes = { stroke: colour('soft'), font: `11px ${fontFamily()}`, ticks: { show: false } };
  const base = {
    label: 'Base',
    stroke: colour('base'),
    width: 1.5,
    dash: [6, 5],
    points: { show: false },
    value,
  };
  const grid = { stroke: colour('line'), width: 1 };
  return {
    width,
    height: HEIGHT,
    cursor: { sync: { key: 'refocus' }, drag: { x: true, y: false } },
    legend: { live: true },
    scales: {
      x: { time: false },
      y: isLog ? { distr: 3, range: (_, min, max) => [min / 1.1, max * 1.1] } : {},
    },
    axes: [
      { ...axes, grid: { show: false }, size: 26 },
      {
        ...axes,
        grid,
        size: 54,
        values: (_, ticks) => ticks.map(formatTick),
        ...(isLog && { splits: (_, __, min, max) => logTicks(min, max), filter: (_, ticks) => ticks }),
      },
    ],
    series: [
      { label: axis === 'step' ? 'Step' : 'Epoch', value: (_, x) => (x == null ? '–' : String(round(x))) },
      { label: 'Each step', stroke: colour('train-faint'), width: 1, points: { show: false }, value },
      { label: 'Smoothed', stroke: train, width: 2, points: { show: false }, value },
      {
        label: 'Test',
        stroke: test,
        width: 0,
        paths: () => null,
        points: { show: true, size: 9, width: 2, stroke: test, fill: colour('panel') },
        value,
      },
      ...(hasBase ? [base] : []),
    ],
  };
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
