import { gridOf, normaliseFilters, pointAt } from '../../analysis/landscape';
import { product } from '../../graph/tensor';
import { floats, type StateDict } from '../../io/tensor';
import { normals, uniforms } from '../../model/random';
import { numbersOf } from '../../model/state';
import { LossSurface } from '../../train/loss-surface';
import type { AnalysisContext, Subject } from './context';
import type { LandscapeResult } from './result';

/** How far beyond both networks a path goes, of the way between them. */
const BEYOND = 0.25;

/**
 * The loss along one random direction and over two, filter-normalised, and on the line from the first network to each other. All
 * networks have the same images and the same random numbers, each scaled to its own filters.
 */
export async function analyseLandscape(context: AnalysisContext): Promise<LandscapeResult> {
  const { numbers, subjects } = context;
  const line = gridOf(numbers.line, numbers.radius);
  const steps = gridOf(numbers.grid, numbers.radius);
  const [losses, grids]: [number[][], number[][][]] = [[], []];
  const paths: LandscapeResult['paths'] = [];
  for (const subject of subjects) {
    const surface = await surfaceOf(subject, context);
    try {
      const directions = [0, 1].map((number) =>
        surface.parametersOf(directionOf(subject, numbers.analysisSeed, number)),
      );
      const lossAt = async (...at: number[]) =>
        (
          await surface.at({
            parameters: pointAt(surface.origin.parameters, directions.slice(0, at.length), at),
          })
        ).loss;
      losses.push(await sequence(line, (a) => lossAt(a)));
      if (steps.length > 0) grids.push(await sequence(steps, (a) => sequence(steps, (b) => lossAt(a, b))));
      if (subject !== subjects[0]) paths.push(await pathTo(surface, subjects[0], numbers.line, context));
    } finally {
      surface.destroy();
    }
  }
  return { line, losses, ...(steps.length > 0 && { grid: { steps, losses: grids } }), paths };
}

export const surfaceOf = (
  { model, state }: Subject,
  { gpu, images, normalisation, goOn }: AnalysisContext,
): Promise<LossSurface> => LossSurface.create(gpu, model, state, images, { ...normalisation, goOn });

/** A direction of normal numbers by seed, number and the parameter's name, with the norms of the network's filters. */
export function directionOf({ model, state }: Subject, seed: number, number: number): StateDict {
  const direction: StateDict = new Map();
  for (const { name, shape, role } of model.state) {
    if (role !== 'parameter') continue;
    const draw = normals(uniforms(seed, `direction ${number} ${name}`));
    const data = Float32Array.from({ length: product(shape) }, draw);
    normaliseFilters(data, numbersOf(state.get(name)!), shape);
    direction.set(name, floats(shape, data));
  }
  return direction;
}

/** From the first network to that of a surface, and a little beyond both. */
async function pathTo(
  surface: LossSurface,
  from: Subject,
  points: number,
  context: AnalysisContext,
): Promise<LandscapeResult['paths'][number]> {
  const first = await surfaceOf(from, context);
  const { origin } = first;
  first.destroy();
  const steps = Array.from({ length: points }, (_, i) => -BEYOND + ((1 + 2 * BEYOND) * i) / (points - 1));
  const between = (a: Float32Array, b: Float32Array, t: number) => a.map((v, i) => v + t * (b[i] - v));
  const figures = await sequence(steps, (t) =>
    surface.at({
      parameters: Float32Array.from(between(origin.parameters, surface.origin.parameters, t)),
      // a variance is no less than nothing, beyond the networks neither
      state: Float32Array.from(between(origin.state, surface.origin.state, Math.min(1, Math.max(0, t)))),
    }),
  );
  return {
    steps,
    losses: figures.map(({ loss }) => loss),
    accuracies: figures.map(({ accuracy }) => accuracy),
  };
}

/** One after the other: a device has one surface at a time. */
async function sequence<A, B>(items: readonly A[], work: (item: A) => Promise<B>): Promise<B[]> {
  const done: B[] = [];
  for (const item of items) done.push(await work(item));
  return done;
}
