/** What a run would take, told beside Start: kept in step with the form, the network and the images. */
import { computed, effect, signal } from '@preact/signals';
import { get, update } from 'idb-keyval';
import type { DeviceForecast, ForecastJob, MeasuredStep } from '../../api';
import { BUILTIN_SIZE, builtinSets } from '../../data/builtin/builtin';
import { parseRates, type StepRates, secondsOf, withStep } from '../../run/step-rates';
import { adapter, engine, explain } from '../engine';
import { preview, survey } from '../input/sources';
import { verdict } from '../input/verdict';
import { isUnderWay } from '../run/state';
import { config, readSettings } from '../settings/config';

export type ForecastState =
  | { state: 'none' }
  | { state: 'ready'; forecast: DeviceForecast }
  | { state: 'failed'; why: string };

export const forecasted = signal<ForecastState>({ state: 'none' });

/** The database's key for steps that were measured. */
const RATES = 'step rates';
const rates = signal<StepRates>({});

/** Seconds of the whole run; undefined before anything was measured on this device. */
export const forecastTime = computed(() => {
  const [found, gpu] = [forecasted.value, adapter.value];
  if (found.state !== 'ready' || gpu.state !== 'ready') return undefined;
  const { flops, flopsPerStep } = found.forecast;
  return secondsOf({ all: flops, step: flopsPerStep }, rates.value[gpu.name]);
});

/** Remembers how long a step took on this device. */
export function rememberStep(step: MeasuredStep): void {
  if (adapter.value.state !== 'ready') return;
  const { name } = adapter.value;
  rates.value = withStep(rates.value, name, step);
  // a browser that keeps nothing measures again
  update(RATES, (known) => withStep(parseRates(known), name, step)).catch(() => {});
}

/** A form that is being filled in is left alone for so long. */
const PAUSE_MS = 250;

/** Follows the form, the network and the images as long as no run is going on. */
export function followForecast(): void {
  get(RATES).then(
    (known) => {
      rates.value = { ...parseRates(known), ...rates.value };
    },
    () => {},
  );
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asked = 0;
  effect(() => {
    clearTimeout(timer);
    const question = ++asked;
    const job = jobOf();
    if (isUnderWay.value || adapter.value.state !== 'ready') return;
    if (!job) {
      forecasted.value = { state: 'none' };
      return;
    }
    timer = setTimeout(() => {
      engine()
        .forecast(job)
        .then(
          (forecast): ForecastState => ({ state: 'ready', forecast }),
          (error): ForecastState => ({ state: 'failed', why: explain(error) }),
        )
        .then((answer) => {
          if (question === asked) forecasted.value = answer;
        });
    }, PAUSE_MS);
  });
}

/** Undefined as long as something is lacking, or half typed. */
function jobOf(): ForecastJob | undefined {
  const network = preview.value;
  if (network.state !== 'ready') return undefined;
  try {
    const settings = readSettings();
    if (config.value.source === 'builtin') {
      const { train, test } = builtinSets[config.value.images].counts;
      const images = { train, test, width: BUILTIN_SIZE, height: BUILTIN_SIZE };
      return { model: network.model, images, settings };
    }
    if (survey.value.state !== 'ready' || !verdict.value) return undefined;
    const { train, test = train } = survey.value;
    const imagesOf = (from: typeof train, use: 'train' | 'test') =>
      from.parts.find((part) => part.use === use)?.images ?? 0;
    const images = { train: imagesOf(train, 'train'), test: imagesOf(test, 'test'), ...train.size };
    const { classes, head } = verdict.value;
    if (head === 'refused' || images.train === 0 || images.test === 0) return undefined;
    return { model: network.model, classes: classes.length, newHead: head === 'new', images, settings };
  } catch {
    // the form says what is wrong with it
    return undefined;
  }
}
