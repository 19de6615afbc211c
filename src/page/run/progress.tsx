/** How far a run has come: a focusing scale whose marks are epochs. */
import type { StepPoint } from '../../api';
import { count, duration, percent, significant } from '../format';
import { NotifyButton } from './notify';
import { isBusy, phase, plan, progress, rate, runSettings, status, stepCount, steps } from './state';

export function Progress() {
  const state = status.value;
  const done = stepCount.value;
  const last = steps[done - 1];
  if (state === 'idle') return null;
  return (
    <div class="progress">
      <Scale />
      {last ? <Figures step={last} /> : isBusy.value && <BeforeSteps />}
      {isBusy.value && <NotifyButton />}
    </div>
  );
}

function Figures({ step }: { step: StepPoint }) {
  const state = status.value;
  const { imagesPerSecond, etaSeconds } = rate.value;
  const values = [
    plan.value ? `${count(step.step)} / ${count(plan.value.steps)}` : count(step.step),
    significant(step.loss),
    percent(step.accuracy, 1),
    imagesPerSecond > 0 ? count(imagesPerSecond) : '–',
    state === 'running' || state === 'watching' ? duration(etaSeconds) : '–',
  ];
  return (
    <dl class="figures">
      {NAMES.map((name, i) => (
        <Figure key={name} name={name} value={values[i]} />
      ))}
    </dl>
  );
}

const NAMES = ['Step', 'Loss', 'Accuracy', 'Images a second', 'Left'];

/** What goes on until there is a step, in the place of its figures. */
function BeforeSteps() {
  return (
    <div class="before-steps">
      <dl>
        <Figure name="Before the first step" value={phase.value} />
      </dl>
      {/* unseen, and as tall as the figures in any font: the first step moves nothing */}
      <dl class="coming-figures">
        {NAMES.map((name) => (
          <Figure key={name} name={name} value="–" />
        ))}
      </dl>
    </div>
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
