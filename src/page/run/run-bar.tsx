/** The run's controls, each in a place of its own, in sight wherever the page stands. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Report } from '../../api';
import { ForecastLine } from '../forecast/forecast-line';
import { count, percent } from '../format';
import { type GpuUse, gpuUse, isGpuFree, series } from '../gpu-use';
import { showPlace } from '../place';
import { obstacle } from '../settings/maps';
import { follow } from './follow';
import { cancel, discard, pause, resume, start, takeOver, takeStep } from './run';
import {
  announcement,
  failure,
  isBusy,
  isUnderWay,
  type Offer,
  offer,
  phase,
  progress,
  result,
  status,
  stepCount,
} from './state';

export function RunBar() {
  const state = status.value;
  const canHold = state === 'running' || state === 'paused';
  const [isAsked, setAsked] = useState(false);
  const bar = useRef<HTMLElement>(null);
  // where the button that had the focus is switched off, the focus goes on to what can be done now
  const isRunning = isBusy.value;
  const isUnder = isUnderWay.value;
  const wasUnder = useRef(false);
  useEffect(() => {
    const place = document.activeElement;
    const isLost = place === document.body || (bar.current?.contains(place) ?? false);
    if (isLost && isRunning)
      bar.current?.querySelector<HTMLElement>('[data-hold]')?.focus({ preventScroll: true });
    // of several runs the last one's end is over once it is kept
    if (isLost && !isUnder && wasUnder.current)
      document.getElementById(state === 'done' ? 'step-3' : 'start')?.focus({ preventScroll: true });
    wasUnder.current = isUnder;
  }, [isRunning, isUnder]);
  return (
    <section class="run-bar" aria-label="Run" ref={bar}>
      {failure.value && (
        <p class="error" role="alert">
          {failure.value}
        </p>
      )}
      {offer.value && !isUnderWay.value && <Offered offer={offer.value} />}
      {isAsked && isRunning && (
        <Question
          onAnswer={(isYes) => {
            setAsked(false);
            if (isYes) discard();
          }}
        />
      )}
      {obstacle.value && !isUnderWay.value && <p class="error">{obstacle.value}</p>}
      <div class="row">
        <button
          type="button"
          id="start"
          class="button primary"
          disabled={!isGpuFree.value}
          onClick={() => follow(start())}
        >
          Start training
        </button>
        <button
          type="button"
          class="button"
          data-hold
          disabled={!canHold}
          onClick={state === 'paused' ? resume : pause}
        >
          {state === 'paused' ? 'Resume' : 'Pause'}
        </button>
        <button
          type="button"
          class="button"
          disabled={!isBusy.value || state === 'cancelling'}
          onClick={cancel}
        >
          Stop and merge
        </button>
        <button type="button" class="button rare" disabled={state !== 'paused'} onClick={takeStep}>
          One step
        </button>
        <button
          type="button"
          class="button rare"
          disabled={!isBusy.value || state === 'cancelling'}
          onClick={() => (stepCount.value > 0 ? setAsked(true) : discard())}
        >
          Discard
        </button>
        <Phase />
      </div>
      <p class="sr-only" role="status">
        {announcement.value}
      </p>
    </section>
  );
}

/** Hours of training go with one click otherwise. */
function Question({ onAnswer }: { onAnswer: (isYes: boolean) => void }) {
  const no = useRef<HTMLButtonElement>(null);
  useEffect(() => no.current?.focus(), []);
  return (
    <div class="asked" role="alertdialog" aria-label="Discard this run?">
      <p>Discard what {count(stepCount.value)} steps have trained?</p>
      <button type="button" class="button small" ref={no} onClick={() => onAnswer(false)}>
        Go on
      </button>
      <button type="button" class="button small" onClick={() => onAnswer(true)}>
        Discard for good
      </button>
    </div>
  );
}

/** A way on from how the last run ended. */
function Offered({ offer: { label, take } }: { offer: Offer }) {
  return (
    <div class="asked">
      <button type="button" class="button small primary" disabled={!isGpuFree.value} onClick={take}>
        {label}
      </button>
    </div>
  );
}

function TakeOver() {
  const [isAsked, setAsked] = useState(false);
  return (
    <button
      type="button"
      class="button small"
      disabled={isAsked || !isGpuFree.value}
      onClick={() => {
        setAsked(true);
        const taken = takeOver();
        follow(taken);
        taken.finally(() => setAsked(false));
      }}
    >
      {isAsked ? 'Taking over' : 'Take over'}
    </button>
  );
}

/** What keeps a run from being started. */
const others: Partial<Record<GpuUse, string>> = {
  profile: 'The profile below needs the GPU; wait for it, or stop it.',
  analysis: 'The analysis below needs the GPU; wait for it, or stop it.',
  trial: 'The network is being tested: a run can begin after it.',
  search: 'The search for a learning rate needs the GPU; wait for it, or stop it.',
};

/** Whether a run came to an end that is none. */
const isBad = (ended?: Report['ended']): boolean => ended === 'diverged' || ended === 'failed';

function Phase() {
  const state = status.value;
  const other = gpuUse.value && others[gpuUse.value];
  if (other) return <p class="hint">{other}</p>;
  const isBetween = isUnderWay.value && !isBusy.value;
  if (state === 'idle' && !isBetween) return <ForecastLine />;
  const words =
    {
      paused: 'Paused',
      cancelling: 'Stopping after this step',
      watching: `In another tab: ${phase.value}`,
    }[state as string] ?? phase.value;
  const isUnder = (isBusy.value || state === 'watching') && progress.value > 0;
  return (
    <>
      <p class="phase">
        <span
          class={`lamp ${isBetween ? 'running' : isBad(result.value?.report.ended) ? 'failed' : state}`}
        />
        {series.value && `Run ${series.value.at} of ${series.value.of}: `}
        {isBetween ? `${series.value!.words}, ${series.value!.isBegun ? 'is kept' : 'begins'}` : words}
      </p>
      {isUnder && <p class="hint">{percent(progress.value, 0)}</p>}
      {state === 'watching' && <TakeOver />}
      {isUnder && (
        <button type="button" class="link to-curves" onClick={() => showPlace('#step-2 .progress')}>
          To the curves
        </button>
      )}
      {state === 'done' && !isBetween && (
        <button type="button" class="link" onClick={() => showPlace('#step-3')}>
          To the result
        </button>
      )}
    </>
  );
}
