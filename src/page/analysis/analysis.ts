/** The analysis of networks: its state as signals, and what starts and stops it. */
import { computed, signal } from '@preact/signals';
import type { AnalyseJob, Analysis, AnalysisEvent, AnalysisName, DataSource } from '../../api';
import { UserError } from '../../errors';
import { type AnalysisNumbers, analysisNames, analysisNumbers } from '../../run/analyse/options';
import { passesOf } from '../../run/analyse/passes';
import { adapter, engine, explain } from '../engine';
import { gpuTaken, withGpu } from '../gpu-use';
import { readData } from '../input/sources';
import { triedNetworks } from '../results/try-networks';
import { shownRun } from '../run/state';
import { readSettings } from '../settings/config';

export type AnalysisState =
  | { state: 'none' }
  | { state: 'running'; message: string; share: number; isStopping: boolean }
  | { state: 'ready'; analysis: Analysis }
  | { state: 'failed'; why: string };

export const analysing = signal<AnalysisState>({ state: 'none' });

/** Which analyses are made, and with what numbers, as typed. */
export const wanted = signal<ReadonlySet<AnalysisName>>(new Set(analysisNames));
export const typed = signal<Partial<Record<keyof AnalysisNumbers, string>>>({});

/** Why no analysis can start now. */
export const analysisObstacle = computed(() => {
  if (gpuTaken.value && gpuTaken.value !== 'analysis')
    return 'Another job has the GPU; an analysis needs it for itself. Wait for it, or stop it.';
  if (adapter.value.state === 'missing') return 'An analysis needs WebGPU, which is missing here.';
  return wanted.value.size === 0 ? 'Choose what is to be looked at.' : undefined;
});

/** Forward passes of an image for one network; undefined as long as a number is half typed. */
export const passes = computed(() => {
  try {
    const numbers = analysisNumbers(typed.value);
    return passesOf([...wanted.value], 1, numbers.images, numbers);
  } catch {
    return undefined;
  }
});

/** The networks and images of the run that is shown; before one, those of step 1. */
export function readJob(): AnalyseJob {
  const networks = triedNetworks().flatMap((one) =>
    'source' in one ? [{ name: one.name, source: one.source }] : [],
  );
  if (networks.length === 0)
    throw new UserError('The networks of this run are not in this browser any more: choose one in step 1.');
  const run = shownRun.value?.job;
  const { train, test } = run ?? readData();
  const settings = run?.settings ?? readSettings();
  const numbers = analysisNumbers(typed.value);
  const transfer = otherBuiltin(test ?? train);
  const only = analysisNames.filter(
    (name) => wanted.value.has(name) && (name !== 'transfer' || transfer !== undefined),
  );
  if (only.length === 0)
    throw new UserError(
      'For a linear probe there are other images only beside the built-in ones: choose something else too.',
    );
  return { networks, test, train, settings, transfer, only, numbers };
}

/** The other built-in set, which a network of one of them has not seen. */
function otherBuiltin(test: DataSource): DataSource | undefined {
  if (test.kind !== 'builtin') return undefined;
  return {
    kind: 'builtin',
    split: 'test',
    set: test.set === 'builtin-camera' ? 'builtin' : 'builtin-camera',
  };
}

export const startAnalysis = () => withGpu('analysis', run);

async function run(): Promise<void> {
  analysing.value = { state: 'running', message: 'Starting', share: 0, isStopping: false };
  try {
    analysing.value = { state: 'ready', analysis: await engine().analyse(readJob(), receive) };
  } catch (error) {
    analysing.value = { state: 'failed', why: explain(error) };
  }
}

function receive({ message, share }: AnalysisEvent): void {
  const current = analysing.value;
  if (current.state === 'running') analysing.value = { ...current, message, share };
}

export async function stopAnalysis(): Promise<void> {
  const current = analysing.value;
  if (current.state !== 'running') return;
  analysing.value = { ...current, isStopping: true };
  // the analysis itself tells of a failure
  await engine()
    .cancel()
    .catch(() => {});
}
