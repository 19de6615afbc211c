/** Step 3 before a run: what it will tell, and how good the network is now, which can be asked first. */
import { count } from '../format';
import { gpuUse, isGpuFree } from '../gpu-use';
import { verdict } from '../input/verdict';
import { baseAccuracy, isUnderWay } from '../run/state';
import { tryFirst, tryOut } from '../run/warm-up';
import { Accuracies } from './accuracies';

export function Expected() {
  const found = tryOut.value;
  const base = baseAccuracy.value ?? found?.base?.accuracy;
  // what a classifier that starts anew tells is chance
  const isKnown = verdict.value?.head === 'kept' || verdict.value?.head === 'rows';
  const canTry = isKnown && base === undefined && !isUnderWay.value;
  return (
    <>
      <Accuracies accuracy={{ base }} />
      {canTry && <TryFirst />}
      {found?.why && (
        <p class="error" role="alert">
          {found.why}
        </p>
      )}
      {baseAccuracy.value === undefined && found?.base && (
        <p class="hint" role="status">
          The network as it is now, on {count(found.base.images)} test images.
        </p>
      )}
      <p class="hint">
        Test accuracy of the network as it is now (base), after the last step, and at its best. After training
        the map is merged into the kernels: a network with the same layers, shapes and cost, other numbers. It
        is written, read back and compared with the trained one before you can take it home.
      </p>
    </>
  );
}

function TryFirst() {
  const isGoing = gpuUse.value === 'trial';
  return (
    <p class="row">
      <button type="button" class="button small" disabled={!isGpuFree.value} onClick={tryFirst}>
        {isGoing ? 'Testing' : 'Test it before training'}
      </button>
      <span class="hint">How good it is now, and how long a step takes.</span>
    </p>
  );
}
