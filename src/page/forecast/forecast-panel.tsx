/** What a run would take, and what its method adds to it; what to do where the GPU does not hold it. */
import type { DeviceForecast } from '../../api';
import { addedSentence, repeatedSentence } from '../../run/forecast-words';
import { bytes, count, duration } from '../format';
import { isUnderWay } from '../run/state';
import { setSetting } from '../settings/config';
import { forecasted, forecastTime } from './forecast';
import { timeText } from './forecast-line';

export function ForecastPanel() {
  const found = forecasted.value;
  if (isUnderWay.value || found.state === 'none') return null;
  if (found.state === 'failed') return <p class="error">{found.why}</p>;
  const { memory, added, repeated, steps, epochs, tooLarge } = found.forecast;
  return (
    <section class="forecast" aria-label="What this run will take">
      <p>
        <b>{timeText()}</b> for {count(steps)} {steps === 1 ? 'step' : 'steps'}
        {perEpoch(epochs)}, <b>{bytes(memory.all)}</b> of GPU memory: weights {bytes(memory.weights)}, the
        optimiser's state {bytes(memory.optimiser)}, activations {bytes(memory.activations)}, images{' '}
        {bytes(memory.images)}.
      </p>
      {added && <p class="hint">{addedSentence(added)}</p>}
      {repeated && <p class="hint">{repeatedSentence(repeated)}</p>}
      {tooLarge && <TooLarge {...tooLarge} />}
    </section>
  );
}

function perEpoch(epochs: number): string {
  const time = forecastTime.value;
  return time && epochs > 1 ? ` (${duration(time.seconds / epochs)} an epoch)` : '';
}

function TooLarge({ what, bytes: needed, most, rows, f16 }: NonNullable<DeviceForecast['tooLarge']>) {
  return (
    <div class="notice" role="status">
      <p>
        {what === 'buffer'
          ? `This GPU gives a buffer at most ${bytes(most)}, and the batch needs one of ${bytes(needed)}. `
          : `The memory limit is ${bytes(most)}, and a step of the batch takes at least ${bytes(needed)}, however much of it is computed twice. `}
        {rows === undefined
          ? 'No smaller micro-batch fits either: take smaller images.'
          : `A run takes its batches in micro-batches of ${count(rows)} images, or in whole ones of as many.`}
      </p>
      <p class="row">
        {rows !== undefined && (
          <>
            <button type="button" class="button small" onClick={() => setSetting('microBatch', String(rows))}>
              Micro-batch {count(rows)}
            </button>
            <button type="button" class="button small" onClick={() => setSetting('batch', String(rows))}>
              Batch {count(rows)}
            </button>
          </>
        )}
        {what === 'step' && (
          <button
            type="button"
            class="button small"
            onClick={() => setSetting('memory', String(Math.ceil(needed / 1e6)))}
          >
            Limit {bytes(needed)}
          </button>
        )}
        {f16 && (
          <button type="button" class="button small" onClick={() => setSetting('storage', 'f16')}>
            Activations as f16
          </button>
        )}
      </p>
    </div>
  );
}
