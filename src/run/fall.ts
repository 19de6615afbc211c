/** A network that training makes much worse is told of while the run can still be stopped. */
import { wilsonInterval } from '../analysis/uncertainty';
import { lowerRate } from '../train/divergence';
import type { EvalPoint } from '../train/metrics';

/** A fall of less may well be made up for in the next epochs. */
const FALL = 0.1;

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

interface Run {
  /** that it is tested on */
  images: number;
  /** its highest learning rate */
  lr: number;
}

/**
 * Hears of the test after each epoch, and of the accuracy of the network as it was loaded where that is known; warns once, where the
 * fall is large and chance does not explain it.
 */
export function fallWatch(
  { images, lr }: Run,
  warn: (message: string) => void,
): (point: EvalPoint, base?: number) => void {
  const interval = (share: number) => wilsonInterval(Math.round(share * images), images);
  let isTold = false;
  return ({ accuracy, epoch }, base) => {
    if (isTold || base === undefined || base - accuracy < FALL || interval(accuracy)[1] >= interval(base)[0])
      return;
    isTold = true;
    warn(
      `After epoch ${Number(epoch.toFixed(2))} it tells ${percent(accuracy)} of the test images right, the network as it was loaded ${percent(base)}: where it does not recover, a learning rate below ${lr}, such as ${lowerRate(lr)}, does less harm.`,
    );
  };
}
