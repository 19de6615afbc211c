/** What is shown of the redundancy, as the user chose it. */
import { computed, effect, signal } from '@preact/signals';
import type { LayerRedundancy } from '../../api';
import { engine } from '../engine';
import { preview } from '../input/sources';
import { courseFrom, noCourse } from '../run/redundancy-course';
import { redundancy, runSettings, status } from '../run/state';
import { maps } from '../settings/maps';
import { compare, isSameNetwork, type Measure, nearestPair } from './comparison';

export const measure = signal<Measure>('divergence');
export const isClustered = signal(false);
/** whether the maps follow a run that goes on */
export const isLive = signal(true);
/** whether the panel is on the screen */
export const isSeen = signal(false);
/** the layer that is open, by name; empty: the first that a map changes */
export const openLayer = signal('');

/** The kernels before the run that was left for the chosen network; another run is looked at again. */
const leftRun = signal<readonly LayerRedundancy[] | undefined>(undefined);

export const isOfRun = computed(() => {
  const { before } = redundancy.value;
  return before.length > 0 && leftRun.value !== before;
});

/** Whether the run that is shown trained another network than the one that is chosen. */
export const isRunOfAnother = computed(() => {
  const { before } = redundancy.value;
  const seen = preview.value;
  if (before.length === 0 || seen.state !== 'ready') return false;
  const isAtRandom = runSettings.value?.method === 'retrain';
  return !isSameNetwork(before, seen.redundancy, isAtRandom);
});

/** Looks at the run that is shown, or else at the chosen network. */
export function lookAt(which: 'run' | 'chosen'): void {
  leftRun.value = which === 'chosen' ? redundancy.value.before : undefined;
}

/** Of the run that is shown; before any, or where the user wants it, of the network that is chosen. */
export const course = computed(() => {
  if (isOfRun.value) return redundancy.value;
  const seen = preview.value;
  return seen.state === 'ready' ? courseFrom(seen.redundancy, seen.grams) : noCourse;
});

/** Whether a map changes the layer, by the form as it stands. */
export const isRefocused = (name: string): boolean => maps.value.names.includes(name);

export const opened = computed<LayerRedundancy | undefined>(() => {
  const { before } = course.value;
  return (
    before.find(({ name }) => name === openLayer.value) ??
    before.find(({ name }) => isRefocused(name)) ??
    before[0]
  );
});

export const layerNow = (name: string): LayerRedundancy | undefined =>
  course.value.now.find((layer) => layer.name === name);

export const comparison = computed(() => {
  const before = opened.value;
  if (!before) return undefined;
  const how = { measure: measure.value, isClustered: isClustered.value };
  return compare(before, layerNow(before.name), how);
});

/** A pair of the drawn kernels, by their rows, whatever order these are drawn in. */
export interface Pair {
  layer: string;
  i: number;
  j: number;
}

const pointed = signal<Pair | undefined>(undefined);
/** the pair was chosen by keyboard, so it is read aloud */
export const isByKey = signal(false);

/** The pair that is told; the most alike one until another is pointed at. */
export const pair = computed<Pair | undefined>(() => {
  const layer = opened.value;
  if (!layer) return undefined;
  const at = pointed.value;
  if (at?.layer === layer.name && at.i < layer.drawn.length && at.j < layer.drawn.length) return at;
  const [i, j] = nearestPair(layer);
  return { layer: layer.name, i, j };
});

export function pointAt(next: Pair, byKey = false): void {
  isByKey.value = byKey;
  pointed.value = next;
}

/** What a live picture is called. */
export const nowName = computed(() =>
  course.value.isMerged ? 'after' : course.value.now.length > 0 ? `step ${course.value.step}` : 'now',
);

/** Asks runs to tell how their kernels stand, as long as somebody sees it. Gives what ends that. */
export const followWatch = (): (() => void) =>
  effect(() => {
    const isOn = isLive.value && isSeen.value;
    // an engine that was started anew knows nothing of it
    void (status.value === 'running');
    // one that is not there says so elsewhere
    engine()
      .watch(isOn)
      .catch(() => {});
  });
