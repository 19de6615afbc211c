/** Keeps the screen on while a run goes on. */
import { effect } from '@preact/signals';
import { status } from './state';

/** Browsers let go of the lock where the tab is hidden; it is taken again when the tab is seen. */
export function keepScreenOn(): void {
  let lock: Promise<WakeLockSentinel | undefined> | undefined;
  const follow = () => {
    const isWanted = status.value === 'running' && document.visibilityState === 'visible';
    if (isWanted) lock ??= navigator.wakeLock?.request('screen').catch(() => undefined);
    else if (lock) {
      // where the browser has let go already, this does nothing
      lock.then((held) => held?.release());
      lock = undefined;
    }
  };
  effect(follow);
  document.addEventListener('visibilitychange', follow);
}
