/** A way on from a result: another run that begins with its network. */
import type { Method, TrainJob, TrainResult } from '../../api';
import { isGpuFree } from '../gpu-use';
import { fileOf, firstOf } from '../results/files';
import { follow } from '../run/follow';
import { runBeside } from '../run/run';

interface TrainOnProps {
  trained: TrainResult;
  job?: TrainJob;
}

/** Trains for as many epochs again, on the same images. A run that may go on as it was is offered that in the list of runs. */
export function TrainOn({ trained, job }: TrainOnProps) {
  const { ended, proof, settings } = trained.report;
  if (!job || !proof.ok || (ended !== 'finished' && ended !== 'early')) return null;
  const { epochs } = job.settings;
  const from = firstOf(trained);
  return (
    <div class="train-on">
      <button
        type="button"
        class="button small"
        disabled={!isGpuFree.value}
        aria-describedby="train-on-hint"
        onClick={() => {
          // the network that is there now has the classes; from random weights nothing of it would be left
          const method: Method = settings.method === 'retrain' ? 'finetune' : settings.method;
          const files = [{ path: from, blob: new Blob([fileOf(trained, from)]) }];
          follow(runBeside(job, { method, head: 'auto' }, { kind: 'file', files }));
        }}
      >
        Train on from this for {epochs} {epochs === 1 ? 'epoch' : 'epochs'}
      </button>
      <p class="hint" id="train-on-hint">
        A new run that begins with {from}: its maps, momentum and schedule are fresh, and this result stays.
      </p>
    </div>
  );
}
