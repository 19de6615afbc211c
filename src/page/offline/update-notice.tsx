/** Tells of a newer version of the page. */
import { useState } from 'preact/hooks';
import { gpuUse } from '../gpu-use';
import { isUpdateReady, takeUpdate } from './registration';

export function UpdateNotice() {
  const [isHeld, setHeld] = useState(false);
  if (!isUpdateReady() || gpuUse.value) return null;
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
