/** The search for a learning rate: its state as signals, and what starts and stops it. */
import { computed, signal } from '@preact/signals';
import type { RateSearch, TrainEvent } from '../../api';
import { Stopped } from '../../errors';
import { adapter, engine, explain } from '../engine';
import { readData, readModel } from '../input/sources';
import { isBusy } from '../run/run';
import { readSettings } from './config';

export type RateState =
  | { state: 'none' }
  | { state: 'running'; message: string; isStopping: boolean }
  | { state: 'ready'; search: RateSearch }
  | { state: 'failed'; why: string };

export const rateState = signal<RateState>({ state: 'none' });

/** Whether a search cannot start now. */
export const isRateBlocked = computed(() => isBusy.value || adapter.value.state === 'missing');

export async function findRate(): Promise<void> {
  if (rateState.value.state === 'running' || isRateBlocked.value) return;
  rateState.value = { state: 'running', message: 'Starting', isStopping: false };
  try {
    const job = { model: readModel(), ...readData(), settings: readSettings() };
    const search = await engine().findRate(job, {}, receive);
    rateState.value = { state: 'ready', search };
  } catch (error) {
    rateState.value = error instanceof Stopped ? { state: 'none' } : { state: 'failed', why: explain(error) };
  }
}

function receive(event: TrainEvent): void {
  const current = rateState.value;
  if (current.state !== 'running') return;
  if (event.type === 'phase') rateState.value = { ...current, message: event.message };
  if (event.type !== 'steps') return;
  const [{ step, lr, loss }] = event.points;
  const message = `Step ${step}: rate ${lr.toPrecision(2)}, loss ${loss.toFixed(3)}`;
  rateState.value = { ...current, message };
}

export async function stopRateSearch(): Promise<void> {
  const current = rateState.value;
  if (current.state !== 'running') return;
  rateState.value = { ...current, isStopping: true };
  // the search itself tells of a failure
  await engine()
    .cancel()
    .catch(() => {});
}
