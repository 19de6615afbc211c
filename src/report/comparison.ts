/** Which of two networks, or of two methods over several seeds, was better, by how much, and what that is worth: in words. */
import { meanAndDeviation, type PairedComparison } from '../analysis/uncertainty';
import { type EndedRun, isFairPair, isSameArm } from './arms';
import { count, percent, points } from './format';

export const METHOD_NAMES: Record<string, string> = {
  refocus: 'Refocused',
  finetune: 'Fine-tuned',
  retrain: 'Retrained',
  joint: 'Trained jointly',
};

export const methodName = (method: string): string =>
  Object.hasOwn(METHOD_NAMES, method) ? METHOD_NAMES[method] : method;

/** Flips that are more uneven than this come by chance in one of twenty comparisons. */
export const CHANCE = 0.05;

export const chanceText = (p: number): string => (p < 0.001 ? 'p < 0.001' : `p = ${p.toFixed(3)}`);

/** What one network has more or less than another, with its interval. */
export const differenceText = ({ difference, interval: [low, high] }: PairedComparison): string =>
  `${points(difference)} (95 %: ${points(low)} to ${points(high)})`;

/** A verdict on two networks that were tested on the same images; `names`: the reference first. */
export function verdictOf(names: readonly [string, string], paired: PairedComparison): string {
  const { flips, difference, images } = paired;
  const [worse, better] = difference < 0 ? [names[1], names[0]] : names;
  const told = `of ${count(images)} test images ${count(flips.gained)} are gained and ${count(flips.lost)} lost (McNemar’s test, ${chanceText(flips.p)})`;
  const against = `${names[1]} against ${names[0]}: ${differenceText(paired)}, ${told}.`;
  if (difference === 0) return `${against} Neither was better.`;
  if (flips.p > CHANCE)
    return `${against} Here ${better} was better, which may be chance: networks that are equally good differ as much often enough.`;
  return `${against} So ${better} was better than ${worse}, by more than chance explains on these images; one seed is no proof all the same.`;
}

/** A method over its seeds. */
export interface SeededArm {
  method: string;
  runs: EndedRun[];
  mean: number;
  deviation: number;
}

/** Two methods with the same seeds, all else alike. */
export interface SeedComparison {
  seeds: number[];
  /** the reference first */
  arms: [SeededArm, SeededArm];
  /** last accuracy of the second less that of the first, seed by seed */
  paired: number[];
  mean: number;
  deviation: number;
}

const seeded = (runs: EndedRun[]): SeededArm => ({
  method: runs[0].report.settings.method,
  runs,
  ...meanAndDeviation(runs.map(({ report }) => report.accuracy.last)),
});

/** Runs of other seeds with the same inputs and settings, one a seed, by seed. */
function bySeed(one: EndedRun, runs: readonly EndedRun[]): Map<number, EndedRun> {
  const alike = runs.filter(({ report }) => report.ended === 'finished' || report.ended === 'early');
  const found = new Map<number, EndedRun>();
  for (const run of [one, ...alike])
    if (isSameArm(one, run)) found.set(run.report.seed, found.get(run.report.seed) ?? run);
  return found;
}

/** Compares two methods over the seeds that both have, two at least; undefined where there are not so many. */
export function compareSeeds(
  reference: EndedRun,
  other: EndedRun,
  runs: readonly EndedRun[],
): SeedComparison | undefined {
  if (!isFairPair(reference, other)) return undefined;
  const [first, second] = [bySeed(reference, runs), bySeed(other, runs)];
  const seeds = [...first.keys()].filter((seed) => second.has(seed)).sort((a, b) => a - b);
  if (seeds.length < 2) return undefined;
  const arms: [SeededArm, SeededArm] = [
    seeded(seeds.map((seed) => first.get(seed)!)),
    seeded(seeds.map((seed) => second.get(seed)!)),
  ];
  const paired = arms[1].runs.map(
    ({ report }, i) => report.accuracy.last - arms[0].runs[i].report.accuracy.last,
  );
  return { seeds, arms, paired, ...meanAndDeviation(paired) };
}

/** Mean and deviation: `84.30 % ± 0.21`. */
export const spread = ({ mean, deviation }: { mean: number; deviation: number }): string =>
  `${percent(mean)} ± ${(100 * deviation).toFixed(2)}`;

export function seedsText({ seeds, arms, paired, mean, deviation }: SeedComparison): string {
  const [first, second] = arms.map(({ method }) => methodName(method));
  const signs = new Set(paired.map(Math.sign));
  const agree =
    signs.size > 1
      ? 'The seeds do not agree on which is better.'
      : signs.has(0)
        ? 'Neither was better.'
        : `All seeds say that ${(paired[0] > 0 ? second : first).toLowerCase()} was better; ${seeds.length} seeds on one set of images are a hint, not a law.`;
  return `Over seeds ${seeds.join(', ')}: ${first.toLowerCase()} ${spread(arms[0])}, ${second.toLowerCase()} ${spread(arms[1])} (mean and standard deviation of the last accuracy). ${second} less ${first.toLowerCase()}, seed by seed: ${paired.map(points).join(', ')}; mean ${points(mean)}, standard deviation ${(100 * deviation).toFixed(2)}. ${agree}`;
}
