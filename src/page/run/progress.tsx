/** How far a run has come: a focusing scale whose marks are epochs. */
import { count, duration, percent, significant } from '../format';
import { NotifyButton } from './notify';
import { isBusy, phase, plan, progress, rate, runSettings, status, stepCount, steps } from './state';

export function Progress() {
  const state = status.value;
  const done = stepCount.value;
  const last = steps[done - 1];
  const { imagesPerSecond, etaSeconds } = rate.value;
  if (state === 'idle') return null;
  return (
    <div class="progress">
      <Scale />
      {last ? (
        <dl class="figures">
          <Figure
            name="Step"
            value={plan.value ? `${count(last.step)} / ${count(plan.value.steps)}` : count(last.step)}
          />
          <Figure name="Loss" value={significant(last.loss)} />
          <Figure name="Accuracy" value={percent(last.accuracy, 1)} />
          <Figure name="Images a second" value={imagesPerSecond > 0 ? count(imagesPerSecond) : '–'} />
          <Figure
            name="Left"
            value={state === 'running' || state === 'watching' ? duration(etaSeconds) : '–'}
          />
        </dl>
      ) : (
        isBusy.value && <BeforeSteps />
      )}
      {isBusy.value && <NotifyButton />}
    </div>
  );
}

/** What goes on until there is a step, in the place of its figures. */
function BeforeSteps() {
  return (
    <dl class="before-steps">
      <Figure name="Before the first step" value={phase.value} />
    </dl>
  );
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** Longest row of epoch marks that stays readable. */
const MAX_MARKS = 12;

/** The least of 1, 2, 5, 10, 20 … that is not below it. */
function roundStride(least: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, least)));
  return power * [1, 2, 5, 10].find((factor) => factor * power >= least)!;
}

function Scale() {
  const epochs = runSettings.value?.epochs ?? 1;
  const fraction = progress.value;
  const stride = roundStride(epochs / MAX_MARKS);
  const marks = Array.from({ length: Math.floor(epochs / stride) + 1 }, (_, i) => i * stride);
  return (
    <div
      class="scale"
      role="progressbar"
      aria-label="Training progress"
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(100 * fraction)}
    >
      <div class="scale-fill" style={{ width: `${100 * fraction}%` }} />
      <div class="scale-pointer" style={{ left: `${100 * fraction}%` }} />
      {marks.map((epoch) => (
        <span key={epoch} class="scale-mark" style={{ left: `${(100 * epoch) / epochs}%` }}>
          {epoch}
        </span>
      ))}
    </div>
  );
}
