/** results.json as it is read again: of this engine, or of a recipe that PyTorch has run. */
import * as v from 'valibot';
import { UserError } from '../errors';
import type { ArmResult } from './arm-results';
import { parseExperiment } from './experiment';
import { type ExperimentResults, type Measured, resultsWith, summarised } from './results';

/** What is not finite is null in JSON. */
const figure = v.pipe(
  v.nullable(v.number()),
  v.transform((value) => value ?? Number.NaN),
);
const text = v.pipe(v.string(), v.maxLength(2000));
const point = v.looseObject({ step: v.number(), epoch: v.number(), loss: figure, accuracy: v.number() });

const run = v.looseObject({
  arm: text,
  seed: v.number(),
  folder: text,
  lr: v.number(),
  ended: v.picklist(['finished', 'stopped', 'early', 'diverged', 'failed']),
  accuracy: v.object({ base: v.optional(v.number()), last: v.number(), best: v.number() }),
  bestEpoch: v.number(),
  loss: figure,
  testImages: v.number(),
  steps: v.number(),
  stepMs: v.number(),
  seconds: v.number(),
  peakBytes: v.optional(v.number()),
  dispatches: v.optional(v.number()),
  flopsPerStep: v.optional(v.number()),
  bytesPerStep: v.optional(v.number()),
  proof: v.object({ ok: v.boolean(), maxRelLogitDiff: figure, top1Agreement: figure }),
  merged: v.optional(text),
  divergence: v.tuple([figure, figure]),
  start: v.optional(point),
  evals: v.array(point),
  training: v.array(v.object({ step: v.number(), loss: figure, accuracy: v.number() })),
  adapter: text,
  version: text,
});

const schema = v.looseObject({
  format: v.literal('refocus experiment results'),
  version: v.literal(1),
  experiment: v.looseObject({}),
  task: v.optional(v.picklist(['segmentation', 'detection'])),
  date: text,
  complete: v.boolean(),
  missing: v.array(text),
  rates: v.array(
    v.object({
      arm: text,
      tried: v.array(
        v.object({
          lr: v.number(),
          accuracy: v.number(),
          loss: figure,
          diverged: v.optional(v.literal(true)),
        }),
      ),
      chosen: v.optional(v.number()),
      isAtEdge: v.boolean(),
    }),
  ),
  runs: v.array(run),
  unequal: v.array(text),
});

/**
 * Results out of their file; what follows from the runs is reckoned anew.
 * @param file what messages call it
 * @throws UserError where it is none
 */
export function parseResults(value: unknown, file: string): ExperimentResults {
  const read = v.safeParse(schema, value);
  if (!read.success) {
    const [issue] = read.issues;
    const path = v.getDotPath(issue as v.BaseIssue<unknown> & { path: [v.IssuePathItem] }) ?? 'it';
    throw new UserError(
      `${file} holds no results of an experiment: ${path} is not what it should be (docs/experiments.md).`,
    );
  }
  const { format: _, version: __, experiment: given, ...rest } = read.output;
  const experiment = parseExperiment(given, `${file}, experiment`);
  const known = new Set(experiment.arms.map(({ name }) => name));
  const stranger = rest.runs.find(({ arm }) => !known.has(arm));
  if (stranger)
    throw new UserError(`${file}: its experiment has no arm ${stranger.arm}, a run of which is there.`);
  return summarised({ ...(rest as Omit<Measured, 'experiment'>), experiment });
}

/** The results of an experiment that was run several times, as by this engine and by PyTorch, with the name of each. */
export interface NamedResults {
  name: string;
  results: ExperimentResults;
}

/** All in one: each arm once for each of them, and every two compared, seed by seed. The reference is that of the first. */
export function combined(all: readonly NamedResults[]): ExperimentResults {
  const [first] = all;
  const other = all.find(({ results }) => results.task !== first.results.task);
  if (other)
    throw new UserError(
      `${first.name} and ${other.name} are of other tasks: what counts in one is not what counts in the other.`,
    );
  const named = (arm: string, { name }: NamedResults) => `${arm} (${name})`;
  const each = <T>(make: (one: NamedResults) => readonly T[]): T[] => all.flatMap(make);
  const measured: Measured = {
    ...first.results,
    experiment: {
      ...first.results.experiment,
      reference: named(first.results.experiment.reference, first),
      seeds: [...new Set(each(({ results }) => results.experiment.seeds))],
      arms: each((one) =>
        one.results.experiment.arms.map((arm) => ({
          ...arm,
          name: named(arm.name, one),
          label: named(arm.label, one),
          ...(arm.from !== undefined && { from: named(arm.from, one) }),
          ...(arm.rate && { rate: { ...arm.rate, of: named(arm.rate.of, one) } }),
        })),
      ),
    },
    complete: all.every(({ results }) => results.complete),
    missing: each(({ name, results }) => results.missing.map((id) => `${name}/${id}`)),
    rates: each((one) => one.results.rates.map((rate) => ({ ...rate, arm: named(rate.arm, one) }))),
    runs: each((one) =>
      one.results.runs.map((run) => ({
        ...run,
        arm: named(run.arm, one),
        folder: `${one.name}/${run.folder}`,
      })),
    ),
    unequal: [...new Set([...each(({ results }) => results.unequal), ...differing(all)])],
  };
  const arms = each((one) =>
    one.results.arms.map(
      (arm): ArmResult => ({ ...arm, arm: named(arm.arm, one), label: named(arm.label, one) }),
    ),
  );
  return resultsWith(measured, arms);
}

/** Settings in which experiments differ. */
function differing(all: readonly NamedResults[]): string[] {
  const [first, ...others] = all.map(({ results }) => results.experiment.settings);
  return Object.entries(first)
    .filter(([name, value]) =>
      others.some((other) => JSON.stringify(other[name as keyof typeof other]) !== JSON.stringify(value)),
    )
    .map(([name]) => name);
}
