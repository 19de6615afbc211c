/** Tells of a newer version of the page. */
import { useEffect, useState } from 'preact/hooks';
import { gpuTaken } from '../gpu-use';
import { isRunGoingOn, isUpdateReady, takeUpdate } from './registration';

/** milliseconds between two looks at a run of another tab, whose end nothing tells */
const LOOK_MS = 1000;

export function UpdateNotice() {
  const [isHeld, setHeld] = useState(false);
  useEffect(() => {
    if (!isHeld) return;
    const timer = setInterval(async () => setHeld(await isRunGoingOn()), LOOK_MS);
    return () => clearInterval(timer);
  }, [isHeld]);
  if (!isUpdateReady.value || gpuTaken.value) return null;
  return (
    <div class="notice quiet saved" role="status">
      <p>
        A newer version of this page is ready.{' '}
        {isHeld
          ? 'A run is going on in another tab: try again when it is done.'
          : 'Settings and saved runs stay.'}
      </p>
      <button type="button" class="button small primary" onClick={async () => setHeld(!(await takeUpdate()))}>
        Load it
      </button>
    </div>
  );
}
