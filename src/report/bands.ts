/** Curves of arms over their seeds: the mean, and a band from the lowest to the highest. */

import type { ExperimentResults } from '../experiment/results';
import type { RunResult } from '../experiment/run-result';
import { chart, level, lineClass, type Point } from './chart';
import { figureOf } from './figure';
import { percent, tick } from './format';
import { type Html, html } from './html';

/** Accuracy or loss of the test images after each epoch, or loss of the training batches. */
export type BandQuantity = 'accuracy' | 'loss' | 'training';

const TITLES: Record<Exclude<BandQuantity, 'accuracy'>, string> = {
  loss: 'Loss of the test images',
  training: 'Loss of the training batches',
};

export const bandQuantities: readonly BandQuantity[] = ['accuracy', 'loss', 'training'];

/** What a chart of it is called. */
export const bandTitle = ({ task }: Pick<ExperimentResults, 'task'>, quantity: BandQuantity): string =>
  quantity === 'accuracy' ? figureOf(task).title : TITLES[quantity];

/** Arms whose bands can be told apart; of more there are lines alone. */
const MOST_BANDS = 4;

/** Whether bands are drawn. */
export const hasBands = (results: Pick<ExperimentResults, 'runs' | 'arms'>): boolean =>
  trainedArms(results).length <= MOST_BANDS;

/** An arm's curve. */
export interface Band {
  arm: string;
  mean: Point[];
  low: Point[];
  high: Point[];
}

const pointsOf = ({ start, evals, training }: RunResult, quantity: BandQuantity): Point[] =>
  (quantity === 'training'
    ? training.map(({ step, loss }) => ({ x: step, y: loss }))
    : [...(start ? [start] : []), ...evals].map((point) => ({ x: point.step, y: point[quantity] }))
  ).filter(({ y }) => Number.isFinite(y));

/** Runs of an arm have their points at the same steps, so that they meet there; a point that not all have is left out. */
export function bandOf(arm: string, runs: readonly RunResult[], quantity: BandQuantity): Band {
  const lines = runs.map((run) => new Map(pointsOf(run, quantity).map(({ x, y }) => [x, y])));
  const steps = [...(lines[0]?.keys() ?? [])].filter((x) => lines.every((line) => line.has(x)));
  const at = (pick: (values: number[]) => number) =>
    steps.map((x) => ({ x, y: pick(lines.map((line) => line.get(x)!)) }));
  return {
    arm,
    mean: at((values) => values.reduce((a, b) => a + b, 0) / values.length),
    low: at((values) => Math.min(...values)),
    high: at((values) => Math.max(...values)),
  };
}

/** The curves of all arms that train, as SVG: means, and where the arms are few bands; the base's accuracy dashed. */
export function bandsSvg({ runs, arms, task }: ExperimentResults, quantity: BandQuantity): Html {
  const title = bandTitle({ task }, quantity);
  const bands = trainedArms({ runs, arms }).map(({ arm }) =>
    bandOf(
      arm,
      runs.filter((run) => run.arm === arm),
      quantity,
    ),
  );
  const base = quantity === 'accuracy' ? runs.find((run) => run.accuracy.base !== undefined) : undefined;
  const isBanded = hasBands({ runs, arms });
  const values = bands.flatMap(({ mean, low, high }) =>
    (isBanded ? [...low, ...high] : mean).map(({ y }) => y),
  );
  if (values.length === 0) return html`<p class="hint">Nothing was recorded of it.</p>`;
  if (base?.accuracy.base !== undefined) values.push(base.accuracy.base);
  return chart({
    title,
    label: `${title} over the steps of ${bands.map(({ arm }) => arm).join(', ')}`,
    format: (value) => (quantity === 'accuracy' ? percent(value, 1) : tick(value)),
    values,
    last: Math.max(1, ...bands.flatMap(({ mean }) => mean.map(({ x }) => x))),
    draw: (scale) => html`${base?.accuracy.base !== undefined && level(scale, base.accuracy.base)}
${bands.map(({ mean, low, high }, i) => {
  const outline = [...high, ...[...low].reverse()];
  return html`<g class="run ${lineClass(i)}">${isBanded && outline.length > 2 && html`<polygon points="${outline.map(scale.at).join(' ')}"/>`}${mean.length > 1 && html`<polyline points="${mean.map(scale.at).join(' ')}"/>`}${quantity !== 'training' && mean.map((point) => html`<circle cx="${scale.x(point.x).toFixed(1)}" cy="${scale.y(point.y).toFixed(1)}" r="3"/>`)}</g>`;
})}`,
  });
}

/** Arms with runs, in the order of their lines. */
export const trainedArms = <T extends Pick<ExperimentResults, 'runs' | 'arms'>>({ runs, arms }: T) =>
  arms.filter(({ arm }) => runs.some((run) => run.arm === arm));
