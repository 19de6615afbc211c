/** Offers runs that an earlier page, or this one, left unfinished. */
import { useState } from 'preact/hooks';
import { isGpuFree } from '../gpu-use';
import { resumeSaved } from '../run/run';
import { isBusy } from '../run/state';
import { discardRun, type SavedRun, savedRuns } from './saved-runs';

export function SavedNotices() {
  if (isBusy.value) return null;
  return (
    <>
      {savedRuns.value.map((run) => (
        <Notice key={run.id} run={run} />
      ))}
    </>
  );
}

function Notice({ run }: { run: SavedRun }) {
  // hours of training go with one click otherwise
  const [isAsked, setAsked] = useState(false);
  return (
    <div class="notice quiet saved" role="status">
      <p>{sentence(run)}</p>
      <div class="row">
        <button
          type="button"
          class="button small primary"
          disabled={!isGpuFree.value}
          onClick={() => resumeSaved(run.id)}
        >
          {isOver(run) ? 'Show its results' : 'Resume'}
        </button>
        {isAsked ? (
          <>
            <button type="button" class="button small" onClick={() => setAsked(false)}>
              Keep it
            </button>
            <button type="button" class="button small" onClick={() => discardRun(run.id)}>
              Discard it for good
            </button>
          </>
        ) : (
          <button type="button" class="button small" onClick={() => setAsked(true)}>
            Discard
          </button>
        )}
      </div>
    </div>
  );
}

const isOver = ({ epoch, epochs }: SavedRun): boolean => epoch >= epochs;

function sentence(run: SavedRun): string {
  const when = timeOf(new Date(run.date));
  if (isOver(run)) return `A run of ${when} (${run.name}) has come to its end, epoch ${run.epochs}.`;
  return `A run of ${when} (${run.name}) stopped at epoch ${Number(run.epoch.toFixed(1))} of ${run.epochs}.`;
}

/** The time, and the day where it is another. */
function timeOf(date: Date): string {
  const isToday = date.toDateString() === new Date().toDateString();
  return isToday
    ? date.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' })
    : date.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
}
