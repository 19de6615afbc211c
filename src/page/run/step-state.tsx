/** How each of the three steps stands, in a word or two beside its title. */
import type { Report } from '../../api';
import { percent } from '../format';
import { preview, survey } from '../input/sources';
import { misfit } from '../input/verdict';
import { config } from '../settings/config';
import { isBusy, isUnderWay, progress, result, status } from './state';

export type StepNumber = 1 | 2 | 3;

export function StepState({ number }: { number: StepNumber }) {
  return <p class="step-state">{texts[number]()}</p>;
}

const ENDED: Record<Report['ended'], string> = {
  finished: 'complete',
  stopped: 'stopped',
  early: 'ended early',
  diverged: 'diverged',
  failed: 'GPU lost',
};

const texts: Record<StepNumber, () => string> = {
  1: () => {
    if (misfit.value) return 'does not fit';
    const network = preview.value.state;
    // built-in images are there
    const images = config.value.source === 'builtin' ? 'ready' : survey.value.state;
    if (network === 'reading' || images === 'reading') return 'being looked into';
    if (network === 'failed' || images === 'failed') return 'cannot be used';
    if (network === 'none') return 'no network yet';
    return images === 'none' ? 'no images yet' : 'ready';
  },
  2: () => {
    if (isUnderWay.value && !isBusy.value) return 'more runs to come';
    const under = isBusy.value && progress.value > 0 ? `, ${percent(progress.value, 0)}` : '';
    if (status.value === 'idle') return 'not started';
    if (status.value === 'watching') return 'in another tab';
    if (status.value === 'running') return `under way${under}`;
    if (status.value === 'paused') return `on hold${under}`;
    if (status.value === 'cancelling') return 'stopping';
    const ended = status.value === 'done' && result.value?.report.ended;
    return ended ? ENDED[ended] : 'ended by a failure';
  },
  3: () => {
    if (!result.value) return isBusy.value ? 'none yet' : 'none';
    const { ok } = result.value.report.proof;
    return ok ? 'merge proven' : 'merge not proven';
  },
};
