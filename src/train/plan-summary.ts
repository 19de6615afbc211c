import { UserError } from '../errors';
import type { Method } from './config';
import type { NetworkOptions } from './network-options';

export interface PlanOptions {
  network: NetworkOptions;
  batch: number;
  /** side of the square input, pixels */
  size: number;
  method: Method;
}

export interface PlanSummary {
  /** the printed plan */
  text: string;
  totals: {
    dispatches: number;
    bytesPerStep: number;
    minBytesPerStep: number;
    flopsPerStep: number;
    peakBytes: number;
    parameters: number;
    trainable: number;
  };
}

/** Plans a training step without a GPU. */
export function planSummary(_options: PlanOptions): PlanSummary {
  throw new UserError('Plans are not built yet.');
}
