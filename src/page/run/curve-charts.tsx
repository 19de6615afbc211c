/** The live curves of a run, from its first step on, with their controls and downloads. */

import { effect, signal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import type uPlot from 'uplot';
import { toCsv } from '../csv';
import { download } from '../files';
import { milliseconds, percent, significant, tick } from '../format';
import { Chart, chartPng, type Line, zoom } from './chart';
import { LogLoss, Smoothing } from './chart-controls';
import { CurveTable } from './curve-table';
import { type Axis, buildCurve, type Curve, type Quantity, type Range } from './curves';
import { baseAccuracy, isBusy, stepCount, steps, stepTimes, testPoints } from './state';

const smoothing = signal(0.9);
const axis = signal<Axis>('step');
const isLog = signal(false);

// a run that begins has no steps in what was shown of the one before: its charts would stay empty
effect(() => {
  if (isBusy.value) zoom.value = undefined;
});

interface Drawn {
  title: string;
  format: (value: number) => string;
  tick: (value: number) => string;
  lines: readonly Line[];
  height: number;
}

const charts: Record<Quantity, Drawn> = {
  loss: { title: 'Loss', format: significant, tick, lines: ['raw', 'smoothed', 'test'], height: 190 },
  accuracy: {
    title: 'Accuracy',
    format: (value) => percent(value, 1),
    tick: (value) => `${tick(100 * value)} %`,
    lines: ['raw', 'smoothed', 'test'],
    height: 190,
  },
  lr: { title: 'Learning rate', format: significant, tick, lines: ['raw'], height: 120 },
  stepMs: {
    title: 'Milliseconds a step',
    format: milliseconds,
    tick,
    lines: ['raw', 'smoothed'],
    height: 120,
  },
};

/** Whether any step’s time is known: a run out of a bundle may be told without them. */
const hasTimes = () => stepTimes.some(Number.isFinite);

export function Curves() {
  return (
    <section class="curves" aria-label="Curves">
      <Tools />
      <CurveChart quantity="loss" />
      <CurveChart quantity="accuracy" />
      <div class="small-charts">
        <CurveChart quantity="lr" />
        {(isBusy.value || hasTimes()) && <CurveChart quantity="stepMs" />}
      </div>
      <CurveTable />
    </section>
  );
}

function Tools() {
  return (
    <div class="row tools">
      <Smoothing value={smoothing} />
      <label>
        Axis{' '}
        <select
          value={axis.value}
          onChange={(event) => {
            axis.value = event.currentTarget.value as Axis;
            zoom.value = undefined;
          }}
        >
          <option value="step">steps</option>
          <option value="epoch">epochs</option>
          <option value="time" disabled={!isBusy.value && !hasTimes()}>
            time
          </option>
        </select>
      </label>
      <LogLoss value={isLog} />
      {zoom.value ? (
        <button
          type="button"
          class="link"
          onClick={() => {
            zoom.value = undefined;
          }}
        >
          Whole run
        </button>
      ) : (
        <button
          type="button"
          class="link"
          title="or drag over any chart"
          disabled={stepCount.value < 2}
          onClick={zoomToEnd}
        >
          Last quarter
        </button>
      )}
    </div>
  );
}

/** What a drag does, for the keyboard: shows the last quarter of the run so far. */
function zoomToEnd(): void {
  const { x } = curveOf('loss', { most: 1 });
  const end = x.at(-1)!;
  zoom.value = { min: x[0] + 0.75 * (end - x[0]), max: end };
}

/** Steps of a chart at most: more than it has pixels. */
const MOST_STEPS = 2000;

/** @param part of the run; default: all of it */
function curveOf(quantity: Quantity, part: { range?: Range; most?: number } = {}): Curve {
  return buildCurve(steps, testPoints.value, {
    quantity,
    axis: axis.value,
    smoothing: smoothing.value,
    base: quantity === 'accuracy' ? baseAccuracy.value : undefined,
    times: stepTimes,
    ...part,
  });
}

function CurveChart({ quantity }: { quantity: Quantity }) {
  const plot = useRef<uPlot | null>(null);
  // Read for its change: the array of steps itself stays the same.
  const last = stepCount.value > 0 ? steps[stepCount.value - 1] : undefined;
  const hasBase = quantity === 'accuracy' && baseAccuracy.value !== undefined;
  const curve = curveOf(quantity, { range: zoom.value, most: MOST_STEPS });
  const { title, format, tick, lines, height } = charts[quantity];
  const isTested = lines.includes('test');
  const value = quantity === 'stepMs' ? stepTimes[stepCount.value - 1] : last?.[quantity];
  const newest = last && value !== undefined ? `${format(value)} at step ${last.step}` : 'no step yet';
  return (
    <figure class="chart">
      <figcaption>
        <h3>{title}</h3>
        <span class="row">
          <button
            type="button"
            class="link"
            onClick={() => download(`${quantity}.csv`, curveCsv(curveOf(quantity), quantity), 'text/csv')}
          >
            CSV<span class="sr-only"> of {title}</span>
          </button>
          <button
            type="button"
            class="link"
            onClick={async () => {
              if (plot.current) download(`${quantity}.png`, await chartPng(plot.current, title), 'image/png');
            }}
          >
            PNG<span class="sr-only"> of {title}</span>
          </button>
        </span>
      </figcaption>
      <Chart
        plot={plot}
        curve={curve}
        lines={hasBase ? [...lines, 'base'] : lines}
        axis={axis.value}
        isLog={quantity === 'loss' && isLog.value}
        isFromZero={quantity === 'lr'}
        format={format}
        formatTick={tick}
        height={height}
        label={`${title}${isTested ? ' of training and test' : ''}, ${newest}`}
      />
    </figure>
  );
}

function curveCsv(curve: Curve, quantity: Quantity): string {
  const header = [axis.value, quantity, `smoothed_${quantity}`, `test_${quantity}`];
  return toCsv(
    header,
    curve.x.map((x, i) => [x, curve.raw[i], curve.smoothed[i], curve.test[i]]),
  );
}
