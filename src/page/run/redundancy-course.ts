/** How the kernels of a network change over a run. */
import type { GramSpectrum, LayerRedundancy, RedundancyFigures } from '../../api';
import { thinned } from './thinned';

/** Figures of every layer after a step. */
export interface RedundancyPoint {
  step: number;
  /** in the order of `RedundancyCourse.before` */
  layers: RedundancyFigures[];
}

export interface RedundancyCourse {
  /** of the network as it was loaded, in order of execution */
  before: readonly LayerRedundancy[];
  grams: ReadonlyMap<string, GramSpectrum>;
  /** the newest look; empty before the first */
  now: readonly LayerRedundancy[];
  /** steps that `now` is after */
  step: number;
  /** `now` is of the merged network */
  isMerged: boolean;
  points: readonly RedundancyPoint[];
}

export const noCourse: RedundancyCourse = {
  before: [],
  grams: new Map(),
  now: [],
  step: 0,
  isMerged: false,
  points: [],
};

const figures = (layers: readonly LayerRedundancy[]): RedundancyFigures[] =>
  layers.map(({ divergence, cosine, effectiveRank }) => ({ divergence, cosine, effectiveRank }));

export const courseFrom = (
  before: readonly LayerRedundancy[],
  grams: RedundancyCourse['grams'],
): RedundancyCourse => ({ ...noCourse, before, grams, points: [{ step: 0, layers: figures(before) }] });

/** Looks that are kept at most: a chart has no more pixels, and a long run a look every few seconds. */
const MOST_POINTS = 400;

/** A further look; what was seen at or after that step is void, for a run may have gone back to a checkpoint. */
export const courseWith = (
  course: RedundancyCourse,
  step: number,
  now: readonly LayerRedundancy[],
  isMerged = false,
): RedundancyCourse => ({
  ...course,
  now,
  step,
  isMerged,
  points: thinned(
    [
      ...course.points.filter((point) => point.step === 0 || point.step < step),
      { step, layers: figures(now) },
    ],
    MOST_POINTS,
  ),
});
