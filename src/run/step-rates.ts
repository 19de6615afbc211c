/** How fast a device has been found to be, by the steps that were measured on it; the host keeps them from run to run. */
import * as v from 'valibot';

/** Work and time of a training step. */
export interface MeasuredStep {
  /** floating-point operations */
  flops: number;
  ms: number;
}

/** Measured steps by the device's name, the newest last. */
export type StepRates = Record<string, MeasuredStep[]>;

/** Steps that are remembered of a device. */
const MOST = 8;

const positive = v.pipe(v.number(), v.finite(), v.gtValue(0));
const remembered = v.record(v.string(), v.array(v.object({ flops: positive, ms: positive })));

/** Remembered rates from a database; none where that is not what it should be. */
export function parseRates(stored: unknown): StepRates {
  const result = v.safeParse(remembered, stored);
  return result.success ? result.output : {};
}

/** The rates with one step more, which takes the place of an earlier one of the same work. */
export function withStep(rates: StepRates, device: string, step: MeasuredStep): StepRates {
  const isUsable = v.is(positive, step.flops) && v.is(positive, step.ms);
  if (!isUsable) return rates;
  const others = (rates[device] ?? []).filter(({ flops }) => flops !== step.flops);
  return { ...rates, [device]: [...others, step].slice(-MOST) };
}

/**
 * Seconds that so much work takes on a device, by the measured step that is nearest in size to its steps; undefined where none
 * was measured. `isOwn`: a step of that very size was.
 * @param flops of the whole, and of a step of it
 */
export function secondsOf(
  flops: { all: number; step: number },
  measured: readonly MeasuredStep[] = [],
): { seconds: number; isOwn: boolean } | undefined {
  const distance = (step: MeasuredStep) => Math.abs(Math.log(step.flops / flops.step));
  const [nearest] = [...measured].sort((a, b) => distance(a) - distance(b));
  if (!nearest) return undefined;
  return { seconds: ((flops.all / nearest.flops) * nearest.ms) / 1000, isOwn: distance(nearest) < 0.01 };
}
