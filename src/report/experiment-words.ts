/** What an experiment has shown and what not, in sentences. */
import { holm } from '../analysis/uncertainty';
import type { ArmComparison, Difference, Spread } from '../experiment/arm-results';
import type { ExperimentResults } from '../experiment/results';
import { percent, points, significant } from './format';

/** Mean and deviation of accuracies: `84.30 % ± 0.21`. */
export const spreadText = ({ mean, deviation }: Spread): string =>
  deviation === null ? percent(mean) : `${percent(mean)} ± ${(100 * deviation).toFixed(2)}`;

/** A paired difference with its interval, if there is one. */
export const intervalText = ({ interval }: Difference): string =>
  interval ? `95 %: ${points(interval[0])} to ${points(interval[1])}` : '';

export const differenceText = (one: Difference): string =>
  one.interval ? `${points(one.mean)} (${intervalText(one)})` : points(one.mean);

/** What a difference shows, in a word or two. */
export const SHOWN: Record<Difference['shown'], string> = {
  better: 'better',
  worse: 'worse',
  none: 'no difference shown',
  unknown: 'one seed shows nothing',
};

const seedsText = (n: number): string => `${n} ${n === 1 ? 'seed' : 'seeds'}`;

export const winsText = ({ wins, losses, ties }: Difference): string =>
  `${wins} of ${seedsText(wins + losses + ties)} better${ties > 0 ? `, ${ties} equal` : ''}`;

/** One arm against another, after the last step. */
export function comparisonSentence(
  { arm, against, seeds, last }: ArmComparison,
  label: (arm: string) => string,
): string {
  const told = `${label(arm)} against ${label(against)}: ${differenceText(last)} over ${seedsText(seeds.length)}, ${winsText(last)}.`;
  if (last.shown === 'unknown') return `${told} One seed shows nothing: take three or more.`;
  if (last.shown === 'none') return `${told} No difference shown: the interval holds zero.`;
  return `${told} ${label(arm)} was ${last.shown} here.`;
}

export function shownSentences(results: ExperimentResults): string[] {
  const { experiment, comparisons } = results;
  const label = labelOf(results);
  const { reference } = experiment;
  const against = comparisons.filter((one) => one.against === reference);
  if (against.length === 0)
    return [`Nothing yet: that takes a run of ${label(reference)} and one of another arm.`];
  return against.map((one) => comparisonSentence(one, label));
}

/** The name of an arm as tables have it. */
export const labelOf =
  ({ experiment }: Pick<ExperimentResults, 'experiment'>) =>
  (name: string): string =>
    experiment.arms.find((arm) => arm.name === name)?.label ?? name;

/** Arms that are not trained, with the next step. */
export const withoutRateSentences = (results: ExperimentResults): string[] =>
  results.rates
    .filter(({ chosen }) => chosen === undefined)
    .map(
      ({ arm, tried }) =>
        `${labelOf(results)(arm)} is not trained, nor what needs its rate or its network: at every rate that was tried (${tried.map(({ lr }) => significant(lr)).join(', ')}) it diverged. Begin another experiment with lower rates.`,
    );

/** What a reader might think was shown, and was not. */
export function notShownSentences(results: ExperimentResults): string[] {
  const { experiment, comparisons, rates, runs, unequal } = results;
  const n = experiment.seeds.length;
  const against = comparisons.filter((one) => one.against === experiment.reference);
  const edges = rates.filter(({ isAtEdge }) => isAtEdge).map(({ arm }) => labelOf(results)(arm));
  const ended = runs
    .filter(({ ended: how }) => how !== 'finished')
    .map(({ folder, ended: how }) => `${folder} (${how})`);
  const isBaseUnknown =
    experiment.arms.some(({ settings }) => settings === undefined) &&
    runs.every(({ accuracy }) => accuracy.base === undefined);
  const differing = new Set(runs.map(({ adapter }) => adapter)).size > 1;
  return [
    `That it is so on other images or networks: ${n === 1 ? 'one seed says' : `${n} seeds say`} how the same test images are told after training in another order, not what other images would give.`,
    ...(n < 3 ? ['Much by fewer than three seeds: an interval over two is wider than most effects.'] : []),
    ...(isBaseUnknown
      ? ['What the base is worth: its classifier is new, so that it has no accuracy to begin with.']
      : []),
    ...(against.length > 1 ? [manySentence(against, labelOf(results))] : []),
    'That the best epoch is as good on other images: the test images chose it. The last one nobody chose.',
    ...(edges.length > 0
      ? [
          `That the rate of ${edges.join(', ')} is its best: it is the lowest or highest of the grid, and a wider one may favour ${edges.length > 1 ? 'them' : 'it'}.`,
        ]
      : []),
    ...(experiment.lrSearch && experiment.base.train
      ? [
          'That the rates are the best for new images: those that were held out to choose them had trained the base, which favours rates that change little.',
        ]
      : []),
    ...(experiment.lrSearch
      ? []
      : ['That each arm had the rate that suits it: none was searched for, and arms want different ones.']),
    ...(ended.length > 0
      ? [`What runs would have come to that did not come to their end: ${ended.join(', ')}.`]
      : []),
    ...(unequal.length > 0 ? [`That all arms had the same: they differ in ${unequal.join(', ')}.`] : []),
    ...(differing ? ['That all runs are alike to the bit: they ran on different adapters.'] : []),
    'What longer training, or a base that is trained longer, would give.',
  ];
}

/** What remains of several comparisons once their number is minded. */
function manySentence(against: readonly ArmComparison[], label: (arm: string) => string): string {
  const told = against.filter(({ last }) => last.shown === 'better' || last.shown === 'worse');
  const corrected = holm(against.map(({ last }) => last.p ?? 1));
  const names = against.filter((_, i) => corrected[i] < 0.05).map(({ arm }) => label(arm));
  const byChance = Number((0.05 * against.length).toFixed(2));
  const remain = names.length > 0 ? `these remain: ${names.join(', ')}` : 'none remains';
  return `That every interval holds: ${against.length} comparisons at 95 % each leave out zero ${byChance} times by chance where nothing is there, and ${told.length} did. ${told.length > 0 ? `Corrected for their number (Holm), ${remain}.` : ''}`.trimEnd();
}
