import * as v from 'valibot';
import type { Tuning } from '../graph/tuning';

/** Remembered tunings by `tuningKey`; the host keeps them from run to run. */
export type Tunings = Record<string, Tuning>;

const power = (min: number, max: number) =>
  v.pipe(
    v.number(),
    v.minValue(min),
    v.maxValue(max),
    v.check((n) => Number.isInteger(Math.log2(n))),
  );
const remembered = v.record(
  v.string(),
  v.strictObject({
    threads: power(2 ** 6, 2 ** 24),
    sums: power(4, 128),
    serial: power(1, 2 ** 16),
    sharedSplits: power(1, 64),
    written: power(1, 2 ** 16),
    load: v.pipe(v.number(), v.minValue(0), v.maxValue(1000)),
    subgroups: v.boolean(),
    workgroupMemory: v.boolean(),
    storesExponentials: v.boolean(),
  }),
);

/** Remembered tunings from a file or a database; none where that is not what it should be. */
export function parseTunings(stored: unknown): Tunings {
  const result = v.safeParse(remembered, stored);
  return result.success ? result.output : {};
}
