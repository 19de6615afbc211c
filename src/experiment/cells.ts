/**
 * The runs that an experiment is made of, its cells: the base where it is trained first, the search for each arm's rate, and each arm
 * with each seed.
 */
import type { RunSettings, TrainSettings } from '../train/settings';
import type { Experiment, NamedArm } from './experiment';

export interface Cell {
  /** its folder below that of the experiment */
  id: string;
  kind: 'base' | 'search' | 'run';
  /** absent for the base */
  arm?: string;
  seed: number;
  /** of a search */
  lr?: number;
  /** the cells that must have come to an end before */
  needs: string[];
  /** the cell whose trained network it starts from; absent: the experiment's base */
  from?: string;
  /** epochs times the share of the training images: what its time is in proportion to */
  work: number;
}

/** What an ended cell came to, as far as others need it. */
export interface CellOutcome {
  /** on the images that it was tested on, after its last step */
  accuracy: number;
  loss: number;
  /** a searched rate at which training diverged: it was tried, and is not chosen whatever epochs before came to */
  diverged?: true;
}

export type Outcomes = ReadonlyMap<string, CellOutcome>;

const BASE = 'base';
const searchId = (arm: string, lr: number): string => `search/${arm}-lr${lr}`;
const runId = (arm: string, seed: number): string => `runs/${arm}-seed${seed}`;

/** Whether an arm's rate is searched for: it trains, and no rate is named for it. */
export const isSearched = ({ lrSearch }: Experiment, { settings, rate }: NamedArm): boolean =>
  lrSearch !== undefined && settings !== undefined && rate === undefined && typeof settings.lr !== 'number';

/** Every cell, in the order in which they are begun: what compares arms early comes early, a seed of all arms after the other. */
export function cellsOf(experiment: Experiment): Cell[] {
  const { base, arms, seeds, settings, lrSearch } = experiment;
  const trained = arms.filter((arm) => arm.settings);
  const first = base.train ? [BASE] : [];
  const cells: Cell[] = [];
  if (base.train)
    cells.push({
      id: BASE,
      kind: 'base',
      seed: seeds[0],
      needs: [],
      work: base.train.epochs ?? settings.epochs,
    });
  const startOf = ({ from }: NamedArm, seed: number) => (from === undefined ? first[0] : runId(from, seed));
  const searches = (arm: NamedArm): string[] =>
    lrSearch && isSearched(experiment, arm) ? lrSearch.rates.map((lr) => searchId(arm.name, lr)) : [];
  if (lrSearch) {
    const work = lrSearch.epochs * (1 - lrSearch.heldOut);
    const [seed] = seeds;
    for (const arm of trained.filter((one) => isSearched(experiment, one))) {
      const from = startOf(arm, seed);
      for (const lr of lrSearch.rates)
        cells.push({
          id: searchId(arm.name, lr),
          kind: 'search',
          arm: arm.name,
          ...{ seed, lr, from, work, needs: from === undefined ? [] : [from] },
        });
    }
  }
  for (const seed of seeds)
    for (const arm of trained) {
      const from = startOf(arm, seed);
      const of = rateArm(experiment, arm);
      const needs = [...(from === undefined ? [] : [from]), ...searches(of)];
      const id = runId(arm.name, seed);
      cells.push({ id, kind: 'run', arm: arm.name, seed, from, needs, work: settings.epochs });
    }
  return cells;
}

/** The arm whose rate counts for an arm: its own, or that which it names. */
function rateArm({ arms }: Experiment, arm: NamedArm): NamedArm {
  const seen = new Set<string>();
  let at = arm;
  while (at.rate && !seen.has(at.name)) {
    seen.add(at.name);
    at = arms.find(({ name }) => name === at.rate!.of)!;
  }
  return at;
}

/** What a search came to for an arm. */
export interface ChosenRate {
  arm: string;
  tried: ({ lr: number } & CellOutcome)[];
  /** the rate of the highest accuracy on the held-out images, of equals the one with the lowest loss; absent where all diverged */
  chosen?: number;
  /** whether that is the grid's lowest or highest: a wider one might have found a better */
  isAtEdge: boolean;
}

/** The chosen rates of the arms whose search has come to an end. */
export function chosenRates(experiment: Experiment, outcomes: Outcomes): ChosenRate[] {
  const { arms, lrSearch } = experiment;
  if (!lrSearch) return [];
  const rates = [...lrSearch.rates].sort((a, b) => a - b);
  return arms.flatMap((arm): ChosenRate[] => {
    if (!isSearched(experiment, arm)) return [];
    const tried = rates.map((lr) => {
      const outcome = outcomes.get(searchId(arm.name, lr));
      return outcome && { lr, ...outcome };
    });
    if (!tried.every((one) => one !== undefined)) return [];
    const [best] = tried
      .filter(({ diverged }) => !diverged)
      .sort((a, b) => b.accuracy - a.accuracy || a.loss - b.loss);
    const isAtEdge = rates.length > 1 && (best === tried[0] || best === tried[rates.length - 1]);
    return [{ arm: arm.name, tried, chosen: best?.lr, isAtEdge }];
  });
}

/** Whether a run will have no rate: all that were tried for its arm, or for the one whose rate it takes, diverged. */
export function isWithoutRate(experiment: Experiment, { kind, arm }: Cell, outcomes: Outcomes): boolean {
  if (kind !== 'run') return false;
  const { name } = rateArm(experiment, experiment.arms.find((one) => one.name === arm)!);
  return chosenRates(experiment, outcomes).some((one) => one.arm === name && one.chosen === undefined);
}

/** The learning rate of an arm; undefined as long as its search goes on, and where all rates diverged. */
export function rateOf(
  experiment: Experiment,
  name: string,
  outcomes: Outcomes,
): TrainSettings['lr'] | undefined {
  const arm = experiment.arms.find((one) => one.name === name)!;
  if (arm.rate) {
    const other = rateOf(experiment, arm.rate.of, outcomes);
    // a rate that the images decide cannot be multiplied before they are known
    return typeof other === 'number' ? other * arm.rate.times : arm.rate.times === 1 ? other : undefined;
  }
  if (isSearched(experiment, arm))
    return chosenRates(experiment, outcomes).find((one) => one.arm === name)?.chosen;
  return arm.settings?.lr ?? experiment.settings.lr;
}

/** The settings of a cell, but for the rate of a run, which may have to be searched for. */
export function settingsBeforeRate(experiment: Experiment, cell: Cell): TrainSettings {
  const { base, arms, settings, lrSearch } = experiment;
  const { seed } = cell;
  if (cell.kind === 'base') return { ...settings, method: 'retrain', ...base.train, seed };
  const own = { ...settings, ...arms.find(({ name }) => name === cell.arm)?.settings, seed };
  if (cell.kind !== 'search' || !lrSearch) return own;
  return {
    ...own,
    lr: cell.lr!,
    epochs: lrSearch.epochs,
    warmupEpochs: Math.min(own.warmupEpochs, lrSearch.epochs / 4),
    validate: true,
    validationShare: lrSearch.heldOut,
  };
}

/** All settings of a cell whose needs have come to an end. */
export function settingsOf(experiment: Experiment, cell: Cell, outcomes: Outcomes): TrainSettings {
  const settings = settingsBeforeRate(experiment, cell);
  if (cell.kind !== 'run') return settings;
  const lr = rateOf(experiment, cell.arm!, outcomes);
  if (lr === undefined) throw new Error(`the rate of ${cell.id} is not known yet`);
  return { ...settings, lr };
}

/** Settings in which runs of one seed differ though their arms do not say so; of fair arms none. */
export function unequalSettings(
  experiment: Experiment,
  runs: readonly { arm: string; settings: RunSettings }[],
): string[] {
  const names = new Set<string>();
  const [first] = runs;
  if (!first) return [];
  for (const { settings } of runs)
    for (const [name, value] of Object.entries(settings))
      if (JSON.stringify(value) !== JSON.stringify(first.settings[name as keyof RunSettings]))
        names.add(name);
  for (const { settings } of experiment.arms)
    for (const name of Object.keys(settings ?? {})) names.delete(name);
  // each arm has its own rate, searched for in the same way
  names.delete('lr');
  return [...names];
}
