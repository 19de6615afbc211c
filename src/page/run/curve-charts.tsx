/** The live curves of loss and accuracy, with their controls and downloads. */
import { signal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import type uPlot from 'uplot';
import { toCsv } from '../csv';
import { download } from '../files';
import { percent, significant, tick } from '../format';
import { Chart, chartPng } from './chart';
import { type Axis, buildCurve, type Curve, type Quantity } from './curves';
import { baseAccuracy, stepCount, steps, testPoints } from './state';

const smoothing = signal(0.9);
const axis = signal<Axis>('step');
const isLog = signal(false);

const titles: Record<Quantity, string> = { loss: 'Loss', accuracy: 'Accuracy' };

const formats: Record<Quantity, (value: number) => string> = {
  loss: significant,
  accuracy: (value) => percent(value, 1),
};

const tickFormats: Record<Quantity, (value: number) => string> = {
  loss: tick,
  accuracy: (value) => `${tick(100 * value)} %`,
};

export function Curves() {
  if (stepCount.value === 0) {
    return (
      <p class="hint empty">
        Loss and accuracy appear here with the first step: each step faint, a smoothed line on top, test
        results as points, and the accuracy of the network you started from as a dashed line.
      </p>
    );
  }
  return (
    <section class="curves" aria-label="Curves">
      <div class="row tools">
        <label>
          Smoothing{' '}
          <input
            type="range"
            min="0"
            max="0.99"
            step="0.01"
            value={smoothing.value}
            aria-valuetext={smoothing.value.toFixed(2)}
            onInput={(event) => {
              smoothing.value = Number(event.currentTarget.value);
            }}
          />
          <output>{smoothing.value.toFixed(2)}</output>
        </label>
        <label>
          Axis{' '}
          <select
            value={axis.value}
            onChange={(event) => {
              axis.value = event.currentTarget.value === 'epoch' ? 'epoch' : 'step';
            }}
          >
            <option value="step">steps</option>
            <option value="epoch">epochs</option>
          </select>
        </label>
        <label>
          <input
            type="checkbox"
            checked={isLog.value}
            onChange={(event) => {
              isLog.value = event.currentTarget.checked;
            }}
          />{' '}
          Log loss
        </label>
      </div>
      <CurveChart quantity="loss" />
      <CurveChart quantity="accuracy" />
    </section>
  );
}

function CurveChart({ quantity }: { quantity: Quantity }) {
  const plot = useRef<uPlot | null>(null);
  // Read for its change: the array of steps itself stays the same.
  const last = stepCount.value > 0 ? steps[stepCount.value - 1] : undefined;
  const base = quantity === 'accuracy' ? baseAccuracy.value : undefined;
  const curve = buildCurve(steps, testPoints.value, {
    quantity,
    axis: axis.value,
    smoothing: smoothing.value,
    base,
  });
  const title = titles[quantity];
  const newest = last ? `${formats[quantity](last[quantity])} at step ${last.step}` : 'no step yet';
  return (
    <figure class="chart">
      <figcaption>
        <h3>{title}</h3>
        <span class="row">
          <button
            type="button"
            class="link"
            onClick={() => download(`${quantity}.csv`, curveCsv(curve, quantity), 'text/csv')}
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
        axis={axis.value}
        isLog={quantity === 'loss' && isLog.value}
        format={formats[quantity]}
        formatTick={tickFormats[quantity]}
        hasBase={base !== undefined}
        label={`${title} of training and test, ${newest}`}
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
