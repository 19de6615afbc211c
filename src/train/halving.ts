import { OutOfMemory } from '../errors';
import { type Gpu, throwFailure } from '../gpu/device';

/**
 * Does what needs memory for a batch of images; where the device has too little, again with half of them, down to one.
 * What `work` does must not depend on the batch.
 * @throws the device's failure where it has one, else what `work` throws
 */
export async function halving<T>(gpu: Gpu, batch: number, work: (batch: number) => Promise<T>): Promise<T> {
  for (let rows = batch; ; rows >>= 1) {
    try {
      return await work(rows);
    } catch (error) {
      const cause = await failureBehind(gpu, error);
      if (!(cause instanceof OutOfMemory) || rows === 1) throw cause;
    }
  }
}

/**
 * The device's failure where it has one, else the error itself: calls on a device whose process has crashed end with
 * words of the browser's own, and now and then before the device is known to be lost.
 */
export async function failureBehind(gpu: Gpu, error: unknown): Promise<Error> {
  return throwFailure(gpu, error).catch((cause: Error) => cause);
}
