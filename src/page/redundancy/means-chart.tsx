/** The mean of each layer over training. */
import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { download } from '../files';
import { significant, tick } from '../format';
import { chartPng, WHOLE } from '../run/chart';
import { colour, theme } from '../theme';
import { plotFile } from './figures';
import { changes, meansCsv, type Quantity, quantities } from './means';
import { course, opened } from './view';

const HEIGHT = 200;

const quantity = signal<Quantity>('divergence');
/** what is told of the layer under the pointer */
const told = signal('');

export function MeansChart() {
  const plot = useRef<uPlot | null>(null);
  const place = useRef<HTMLDivElement>(null);
  const { before, points } = course.value;
  const hasCurves = points.length > 1;
  const names = before.map(({ name }) => name);
  const index = names.indexOf(opened.value!.name);
  const { label, isRelative } = quantities[quantity.value];
  const title = isRelative ? `${label}, change in %` : `${label}, change`;
  const hasNumbers = hasCurves && data().some((column, i) => i > 0 && column.some((value) => value !== null));
  useEffect(() => {
    if (!hasCurves) return;
    const element = place.current!;
    const drawn = new uPlot(options(names, index, element.clientWidth), data(), element);
    plot.current = drawn;
    const observer = new ResizeObserver(() => drawn.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    drawn.ctx.canvas.addEventListener('contextrestored', () => drawn.redraw());
    return () => {
      observer.disconnect();
      drawn.destroy();
    };
    // theme: its colours are read while drawing
  }, [hasCurves, names.join(), index, quantity.value, theme.value]);
  useEffect(() => {
    if (hasCurves) plot.current?.setData(data());
  }, [points, quantity.value]);
  if (!hasCurves) {
    return (
      <div class="means waiting">
        <p class="hint">The mean of each layer over the training, as curves</p>
      </div>
    );
  }
  return (
    <figure class="chart means">
      <figcaption>
        <h3>{title}</h3>
        <span class="row">
          <label>
            <span class="sr-only">Curves of</span>
            <select
              value={quantity.value}
              onChange={(event) => {
                quantity.value = event.currentTarget.value as Quantity;
              }}
            >
              {Object.entries(quantities).map(([value, one]) => (
                <option key={value} value={value}>
                  {one.label}
                </option>
              ))}
            </select>
          </label>
          <button
            type="button"
            class="link"
            onClick={() => download('redundancy.csv', meansCsv(course.value), 'text/csv')}
          >
            CSV<span class="sr-only"> of all layers’ figures</span>
          </button>
          <button
            type="button"
            class="link"
            onClick={async () => {
              if (plot.current) download('redundancy.png', await chartPng(plot.current, title), 'image/png');
            }}
          >
            PNG<span class="sr-only"> of {title}</span>
          </button>
          <button
            type="button"
            class="link"
            disabled={!hasNumbers}
            onClick={async () => download('redundancy.svg', await meansFile(title, names), 'image/svg+xml')}
          >
            SVG<span class="sr-only"> of {title}</span>
          </button>
        </span>
      </figcaption>
      <div ref={place} class="plot" role="img" aria-label={`${title} by step, a curve a layer`} />
      <p class="hint">
        {told.value ||
          `By step of training, a curve a layer, ${names[index]} in front; point at one for its name.`}
      </p>
    </figure>
  );
}

/** The curves as a report draws them. */
function meansFile(title: string, names: readonly string[]): Promise<string> {
  const [steps, ...columns] = changes(course.value, quantity.value);
  const lines = columns.map((column, i) => ({
    name: names[i],
    x: steps.map(Number),
    y: column.map((value) => value ?? Number.NaN),
  }));
  return plotFile(lines, { title, across: 'Step', up: title });
}

const data = (): uPlot.AlignedData => changes(course.value, quantity.value) as uPlot.AlignedData;

function options(names: readonly string[], index: number, width: number): uPlot.Options {
  const font = `11px ${getComputedStyle(document.body).fontFamily}`;
  const axes = { stroke: colour('soft'), font, ticks: { show: false } };
  const line = (name: string, isFront: boolean): uPlot.Series => ({
    label: name,
    stroke: colour(isFront ? 'test' : 'train'),
    width: isFront ? 2.5 : 1,
    points: { show: false },
    spanGaps: true,
  });
  return {
    width,
    height: HEIGHT,
    cursor: { sync: { key: 'refocus' }, drag: { x: true, y: false }, focus: { prox: 24 } },
    focus: { alpha: 0.35 },
    legend: { show: false },
    scales: { x: { time: false } },
    axes: [
      { ...axes, grid: { show: false }, size: 26, incrs: WHOLE },
      { ...axes, grid: { stroke: colour('line'), width: 1 }, size: 54, values: (_, t) => t.map(tick) },
    ],
    series: [{}, ...names.map((name, i) => line(name, i === index))],
    hooks: {
      setSeries: [(chart, series) => tell(chart, series)],
    },
  };
}

function tell(chart: uPlot, series: number | null): void {
  const at = chart.cursor.idx;
  const value = series === null || at == null ? undefined : chart.data[series]?.[at];
  if (series === null || at == null || value == null) {
    told.value = '';
    return;
  }
  const sign = value < 0 ? '' : '+';
  const unit = quantities[quantity.value].isRelative ? ' %' : '';
  told.value = `${chart.series[series].label}: ${sign}${significant(value)}${unit} at step ${chart.data[0][at]}`;
}
