/** report.json as it is read again: it may come from another machine, another version or another hand. */
import * as v from 'valibot';
import { UserError } from '../errors';
import type { Report } from './report';

/** What is not finite is null in JSON. */
const number = v.pipe(
  v.nullable(v.number()),
  v.transform((value) => value ?? Number.NaN),
);
const interval = v.tuple([number, number]);
const flips = v.looseObject({ gained: number, lost: number, p: number });
const sums = v.record(v.string(), v.string());
const names = v.array(v.string());
const held = v.looseObject({ images: number, held: number });

const prediction = v.looseObject({
  image: v.union([v.string(), v.number()]),
  label: v.string(),
  predicted: v.string(),
  probability: number,
});
const figures = v.looseObject({
  top5: v.optional(number),
  confusion: v.array(v.array(v.number())),
  classes: v.array(
    v.looseObject({
      class: v.string(),
      images: number,
      precision: number,
      recall: v.optional(number),
      f1: v.optional(number),
      auc: v.optional(number),
    }),
  ),
  macro: v.looseObject({ precision: number, recall: number, f1: number, auc: v.optional(number) }),
  wrong: v.array(prediction),
});

const dense = v.looseObject({
  classes: v.array(v.looseObject({ class: v.string(), figure: v.optional(number) })),
});

const redundancy = v.object({ divergence: number, cosine: number, effectiveRank: number });

const schema = v.looseObject({
  date: v.string(),
  version: v.string(),
  settings: v.pipe(
    v.record(v.string(), v.unknown()),
    v.check(({ method, lr }) => typeof method === 'string' && typeof lr === 'number'),
  ),
  seed: number,
  classes: names,
  network: v.looseObject({
    source: v.string(),
    architecture: v.string(),
    publisher: v.string(),
    newHead: v.boolean(),
  }),
  sources: v.looseObject({ train: names, test: v.optional(names) }),
  sha256: v.looseObject({ in: sums, out: sums }),
  accuracy: v.looseObject({ base: v.optional(number), last: number, best: number }),
  best: v.union([v.number(), v.literal('base')]),
  ended: v.picklist(['finished', 'stopped', 'early', 'diverged', 'failed']),
  nonFinite: v.optional(
    v.object({
      step: number,
      pass: v.picklist(['forward', 'loss', 'backward', 'update', 'evaluation']),
      layer: v.string(),
      kind: v.string(),
    }),
  ),
  // earlier versions wrote none
  redundancy: v.optional(
    v.array(v.object({ name: v.string(), planes: number, before: redundancy, after: redundancy })),
    [],
  ),
  evaluation: v.looseObject({ last: v.optional(figures), best: v.optional(figures) }),
  dense: v.optional(
    v.looseObject({
      task: v.picklist(['segmentation', 'detection']),
      base: v.optional(dense),
      last: v.optional(dense),
      best: v.optional(dense),
    }),
  ),
  uncertainty: v.looseObject({
    images: number,
    intervals: v.looseObject({ base: v.optional(interval), last: interval, best: interval }),
    flips: v.optional(v.looseObject({ last: flips, best: flips })),
  }),
  proof: v.looseObject({
    maxAbsLogitDiff: number,
    maxRelLogitDiff: number,
    top1Agreement: number,
    images: number,
    parameters: v.tuple([number, number]),
    multiplyAdds: v.tuple([number, number]),
    ok: v.boolean(),
  }),
  steps: number,
  seconds: number,
  stepMs: number,
  plan: v.looseObject({
    dispatches: number,
    bytesPerStep: number,
    peakBytes: number,
    flopsPerStep: v.optional(number),
  }),
  held: v.looseObject({ train: held, test: held }),
  adapter: v.string(),
  data: v.optional(
    v.array(
      v.looseObject({
        source: v.string(),
        classes: names,
        parts: v.array(v.looseObject({ use: v.string(), images: number })),
        size: v.looseObject({ width: number, height: number }),
        skipped: number,
      }),
    ),
  ),
});

/**
 * Reads a report.json.
 * @throws UserError that says what it lacks; one of another version of Refocus may
 */
export function parseReport(text: string, file: string): Report {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UserError(`${file} is no report of a run (${(error as Error).message}).`);
  }
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return parsed.output as unknown as Report;
  const version = (value as { version?: unknown } | null)?.version;
  const from = typeof version === 'string' ? `, of Refocus ${version.slice(0, 20)}` : '';
  throw new UserError(
    `${file} is no report of a run that this version reads${from}: ${v.getDotPath(parsed.issues[0]) ?? 'it'} is missing or something else than it should be.`,
  );
}
