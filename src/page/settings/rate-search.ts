/** The search for a learning rate: its state as signals, and what starts and stops it. */
import { computed, signal } from '@preact/signals';
import type { RateSearch, TrainEvent } from '../../api';
import { Stopped } from '../../errors';
import { engine, explain } from '../engine';
import { withGpu } from '../gpu-use';
import { chosen, readData, readModel } from '../input/sources';
import { config, readSettings } from './config';

export type RateState =
  | { state: 'none' }
  | { state: 'running'; message: string; isStopping: boolean }
  | { state: 'ready'; search: RateSearch }
  | { state: 'failed'; why: string };

const latest = signal<RateState>({ state: 'none' });

/** The settings that a rate is good for. */
const basis = computed(() => {
  const { method, batch, optimizer } = config.value.settings;
  return [method, batch, optimizer].join();
});
/** What a search is about; another array for another one. */
const subject = computed(() => [chosen.value, basis.value]);
/** what the latest search was about */
const searched = signal(subject.value);

/** An answer about other files or another method is none. */
export const rateState = computed<RateState>(() =>
  latest.value.state === 'running' || searched.value === subject.value ? latest.value : { state: 'none' },
);

export const findRate = () => withGpu('search', search);

async function search(): Promise<void> {
  searched.value = subject.value;
  latest.value = { state: 'running', message: 'Starting', isStopping: false };
  try {
    const job = { model: readModel(), ...readData(), settings: readSettings() };
    const found = await engine().findRate(job, {}, receive);
    latest.value = { state: 'ready', search: found };
  } catch (error) {
    latest.value = error instanceof Stopped ? { state: 'none' } : { state: 'failed', why: explain(error) };
  }
}

function receive(event: TrainEvent): void {
  const current = latest.value;
  if (current.state !== 'running') return;
  if (event.type === 'phase') latest.value = { ...current, message: event.message };
  if (event.type !== 'steps') return;
  const [{ step, lr, loss }] = event.points;
  const message = `Step ${step}: rate ${lr.toPrecision(2)}, loss ${loss.toFixed(3)}`;
  latest.value = { ...current, message };
}

export async function stopRateSearch(): Promise<void> {
  const current = latest.value;
  if (current.state !== 'running') return;
  latest.value = { ...current, isStopping: true };
  // the search itself tells of a failure
  await engine()
    .cancel()
    .catch(() => {});
}
