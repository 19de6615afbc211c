/** Offers the run that was cut off last. The others are in the list of runs. */
import { isGpuFree } from '../gpu-use';
import { follow } from '../run/follow';
import { wordsOf } from '../run/offers';
import { resumeSaved } from '../run/run';
import { isUnderWay, shownRun } from '../run/state';
import type { RunEntry } from './entries';
import { deleteRun, isCutOff, listed } from './store';

export function SavedNotices() {
  const run = isUnderWay.value ? undefined : listed().find(isCutOff);
  return run && run.id !== shownRun.value?.id ? <Notice run={run} /> : null;
}

function Notice({ run }: { run: RunEntry }) {
  return (
    <div class="notice quiet saved" role="status">
      <p dir="auto">
        {run.name}: {run.remedy ? 'failed' : 'cut off'} at epoch {Number(run.epoch.toFixed(1))} of{' '}
        {run.epochs}.
      </p>
      <div class="row">
        <button
          type="button"
          class="button small primary"
          disabled={!isGpuFree.value}
          onClick={() => follow(resumeSaved(run.id))}
        >
          {run.remedy ? `Go on with ${wordsOf(run.remedy)}` : run.epoch > 0 ? 'Resume' : 'Begin again'}
        </button>
        <button type="button" class="button small" onClick={() => deleteRun(run.id)}>
          Discard
        </button>
      </div>
    </div>
  );
}
