/** The kernels' redundancy while a run goes on. */
import { redundancyOf } from '../analysis/redundancy';
import { type CurrentKernel, currentKernel } from '../model/current-kernels';
import type { ConvLayer } from '../model/model';
import type { Control, Observer } from '../train/observer';
import type { Training } from '../train/training-session';
import type { TrainEvent } from './job';
import { spatialConvolutions } from './redundancy';

/** Milliseconds between two looks at least. */
const EVERY_MS = 5000;
/** A look takes at most one part in so many of the time until the next. */
const SHARE = 100;

/**
 * What an observer does between steps to tell how the kernels stand, while somebody watches. It reads what the GPU holds and
 * writes nothing: a run that is watched has the bits of one that is not.
 */
export function kernelWatch(
  { model, start }: Training,
  control: Control,
  emit: (event: TrainEvent) => void,
): NonNullable<Observer['between']> {
  // made when somebody first watches
  let kernels: (CurrentKernel & { conv: ConvLayer })[] | undefined;
  let next = -Infinity;
  return async (step, read) => {
    const began = performance.now();
    if (!control.watched || began < next) return;
    kernels ??= spatialConvolutions(model).map((conv) => ({ conv, ...currentKernel(model, conv, start) }));
    const keys = [...new Set(kernels.flatMap(({ tensors }) => tensors))];
    const contents = keys.length > 0 ? await read(...keys) : [];
    const tensors = new Map(keys.map((key, i) => [key, contents[i]]));
    const reader = { tensor: (key: string) => tensors.get(key)! };
    const layers = kernels.map(({ conv, of }) => redundancyOf(conv.name, of(reader), conv.shape));
    emit({ type: 'redundancy', when: 'now', step, layers });
    const now = performance.now();
    next = now + Math.max(EVERY_MS, SHARE * (now - began));
  };
}
