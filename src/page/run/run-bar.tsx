/** The run's controls, each in a place of its own, in sight wherever the page stands. */
import { useEffect, useRef } from 'preact/hooks';
import { percent } from '../format';
import { type GpuUse, gpuUse, isGpuFree } from '../gpu-use';
import { obstacle } from '../settings/maps';
import { cancel, pause, resume, start } from './run';
import { announcement, failure, isBusy, phase, progress, status } from './state';

export function RunBar() {
  const state = status.value;
  const canHold = state === 'running' || state === 'paused';
  const bar = useRef<HTMLElement>(null);
  // where the button that had the focus is switched off, the focus goes on to what can be done now
  const isRunning = isBusy.value;
  const wasRunning = useRef(false);
  useEffect(() => {
    const place = document.activeElement;
    const isLost = place === document.body || (bar.current?.contains(place) ?? false);
    if (isLost && isRunning) bar.current?.querySelector<HTMLElement>('[data-hold]')?.focus();
    if (isLost && !isRunning && wasRunning.current)
      document.getElementById(state === 'done' ? 'step-3' : 'start')?.focus({ preventScroll: true });
    wasRunning.current = isRunning;
  }, [isRunning]);
  return (
    <section class="run-bar" aria-label="Run" ref={bar}>
      {failure.value && (
        <p class="error" role="alert">
          {failure.value}
        </p>
      )}
      {obstacle.value && !isBusy.value && <p class="error">{obstacle.value}</p>}
      <div class="row">
        <button
          type="button"
          id="start"
          class="button primary"
          disabled={!isGpuFree.value}
          onClick={() => start()}
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
        <Phase />
      </div>
      <p class="sr-only" role="status">
        {announcement.value}
      </p>
    </section>
  );
}

/** What keeps a run from being started. */
const others: Partial<Record<GpuUse, string>> = {
  profile: 'The profile below needs the GPU; wait for it, or stop it.',
  search: 'The search for a learning rate needs the GPU; wait for it, or stop it.',
};

function Phase() {
  const state = status.value;
  const other = gpuUse.value && others[gpuUse.value];
  if (other) return <p class="hint">{other}</p>;
  if (state === 'idle') return null;
  const words = { paused: 'Paused', cancelling: 'Stopping after this step' }[state as string] ?? phase.value;
  const isUnder = isBusy.value && progress.value > 0;
  return (
    <>
      <p class="phase">
        <span class={`lamp ${state}`} />
        {words}
      </p>
      {isUnder && <p class="hint">{percent(progress.value, 0)}</p>}
      {state === 'done' && (
        <button type="button" class="link" onClick={() => document.getElementById('step-3')?.focus()}>
          To the result
        </button>
      )}
    </>
  );
}
