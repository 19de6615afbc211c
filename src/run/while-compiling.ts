import type { Gpu } from '../gpu/device';
import { pipelinesOf } from '../gpu/pipelines';

/** Milliseconds between two looks. */
const LOOK_EVERY = 200;

interface Looks<T> {
  /** what it throws is thrown, and the work left to end by itself */
  goOn: () => void;
  /** hears how many kernels are compiled, of how many that were to be */
  tell?: (done: number, of: number) => void;
  /** what is done with the result of work that was left */
  late?: (result: T) => void;
}

/** Waits for work that compiles kernels, which nothing can interrupt: a run can be stopped meanwhile, and says how far it is. */
export async function whileCompiling<T>(
  gpu: Gpu,
  work: Promise<T>,
  { goOn, tell, late = () => {} }: Looks<T>,
): Promise<T> {
  const pipelines = pipelinesOf(gpu);
  const ended = work.then(
    () => true,
    () => true,
  );
  let most = 0;
  let told = 0;
  while (!(await Promise.race([ended, later()]))) {
    try {
      goOn();
    } catch (error) {
      work.then(late, () => {});
      throw error;
    }
    most = Math.max(most, pipelines.waiting);
    const done = most - pipelines.waiting;
    if (done > told) tell?.(done, most);
    told = done;
  }
  return work;
}

const later = () => new Promise<false>((resolve) => setTimeout(resolve, LOOK_EVERY, false));
