/** Curves of several runs over each other. */
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { debiasedEma } from '../../analysis/smoothing';
import type { NamedRun } from '../../report/arms';
import { percent, significant, tick } from '../format';
import { showLatest, WHOLE } from '../run/chart';
import { colour, theme } from '../theme';

const HEIGHT = 220;
const COLOURS = 6;

export type RunAxis = 'step' | 'epoch';

interface OverlayProps {
  runs: readonly NamedRun[];
  quantity: 'loss' | 'accuracy';
  axis: RunAxis;
  isLog: boolean;
  smoothing: number;
  /** index of the run that is pinned: its line is drawn thick and dashed */
  pinned: number;
}

type Column = (number | null | undefined)[];

/** A run's training, smoothed, and its tests, at the places of one x axis that all runs share. */
export function overlayData(
  runs: readonly NamedRun[],
  { quantity, axis, smoothing }: Pick<OverlayProps, 'quantity' | 'axis' | 'smoothing'>,
): [number[], ...Column[]] {
  const places = new Set<number>();
  const lines = runs.map(({ metrics, evals }) => {
    const smooth = debiasedEma(
      metrics.map((point) => point[quantity]),
      smoothing,
    );
    const training = new Map(metrics.map((point, i) => [point[axis], smooth[i]]));
    const tests = new Map(
      evals.filter(({ which }) => which !== 'base').map(({ point }) => [point[axis], point[quantity]]),
    );
    for (const place of [...training.keys(), ...tests.keys()]) places.add(place);
    return { training, tests };
  });
  const x = [...places].sort((a, b) => a - b);
  // undefined: the line goes on to the next point; null would be a gap
  const column = (values: ReadonlyMap<number, number>): Column => x.map((place) => values.get(place));
  return [x, ...lines.flatMap(({ training, tests }) => [column(training), column(tests)])];
}

export const colourOf = (i: number): string => colour(`run-${i % COLOURS}`);

export function Overlay(props: OverlayProps) {
  const { runs, quantity, axis, isLog, smoothing, pinned } = props;
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = place.current!;
    const format = (value: number) => (quantity === 'loss' ? significant(value) : percent(value, 1));
    const data = overlayData(runs, { quantity, axis, smoothing });
    const value = (_: uPlot, v: number | null | undefined) => (v == null ? '–' : format(v));
    const series = runs.flatMap(({ name }, i): uPlot.Series[] => [
      {
        label: name,
        stroke: colourOf(i),
        width: i === pinned ? 2.5 : 1.5,
        ...(i === pinned && { dash: [7, 4] }),
        points: { show: false },
        spanGaps: true,
        value,
      },
      {
        label: `${name}, test`,
        stroke: colourOf(i),
        width: 0,
        paths: () => null,
        points: { show: true, size: 8, width: 2, stroke: colourOf(i), fill: colour('panel') },
        value,
      },
    ]);
    const font = `11px ${getComputedStyle(document.body).fontFamily}`;
    const axes = { stroke: colour('soft'), font, ticks: { show: false } };
    const drawn = new uPlot(
      {
        width: element.clientWidth,
        height: HEIGHT,
        cursor: { sync: { key: 'runs' }, drag: { x: true, y: false } },
        legend: { live: true },
        hooks: { setCursor: [showLatest] },
        scales: { x: { time: false }, y: isLog && quantity === 'loss' ? { distr: 3 } : {} },
        axes: [
          { ...axes, grid: { show: false }, size: 26, ...(axis === 'step' && { incrs: WHOLE }) },
          {
            ...axes,
            grid: { stroke: colour('line'), width: 1 },
            size: 54,
            values: (_, ticks) =>
              ticks.map((one) =>
                one == null ? '' : quantity === 'loss' ? tick(one) : `${tick(100 * one)} %`,
              ),
          },
        ],
        series: [{ label: axis === 'step' ? 'Step' : 'Epoch' }, ...series],
      },
      data as uPlot.AlignedData,
      element,
    );
    showLatest(drawn);
    const observer = new ResizeObserver(() => drawn.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    drawn.ctx.canvas.addEventListener('contextrestored', () => drawn.redraw());
    return () => {
      observer.disconnect();
      drawn.destroy();
    };
    // theme: its colours are read while drawing
  }, [runs, quantity, axis, isLog, smoothing, pinned, theme.value]);
  const names = runs.map(({ name }) => name).join(', ');
  return <div ref={place} class="plot" role="img" aria-label={`${quantity} of ${names}`} />;
}
