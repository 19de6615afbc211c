/** Locks between tabs that one of them may take away from another. */

interface LockUse extends Pick<LockOptions, 'ifAvailable'> {
  /** hears that another tab took the lock away; what is done under it goes on until it ends */
  lost?: () => void;
}

/**
 * Does something under an exclusive lock.
 * @returns what `work` comes to, even where the lock is taken away meanwhile
 */
export async function whileLocked<T>(
  name: string,
  { ifAvailable = false, lost }: LockUse,
  work: (lock: Lock | null) => Promise<T>,
): Promise<T> {
  let done: Promise<T> | undefined;
  const held = (lock: Lock | null) => {
    done = work(lock);
    return done;
  };
  return navigator.locks.request(name, { ifAvailable }, held).catch((error: Error) => {
    // a stolen lock says so at once; who began the work still waits for what it comes to
    if (!done || error.name !== 'AbortError') throw error;
    lost?.();
    return done;
  }) as Promise<T>;
}
