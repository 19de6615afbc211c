import { type LayerRedundancy, type RedundancyFigures, redundancyOf } from '../analysis/redundancy';
import type { StateDict } from '../io/tensor';
import { convolutions, type Model } from '../model/model';
import { numbersOf } from '../model/state';
import { type GramSpectrum, gramSpectrum } from './gram-spectrum';

/** The convolutions with more than one tap. */
export const spatialConvolutions = (model: Model) =>
  convolutions(model).filter(({ shape: [, , kh, kw] }) => Math.max(kh, kw) > 1);

/** Redundancy of every spatial convolution of a plain network, in order of execution. */
export const networkRedundancy = (model: Model, state: StateDict): LayerRedundancy[] =>
  spatialConvolutions(model).map(({ name, shape }) =>
    redundancyOf(name, numbersOf(state.get(`${name}.weight`)!), shape),
  );

/** What refocusing can change in each spatial convolution of a plain network, by its name. */
export function networkGrams(model: Model, state: StateDict, mapKernel?: number): Map<string, GramSpectrum> {
  const all = spatialConvolutions(model).flatMap((conv) => {
    const spectrum = gramSpectrum(conv, numbersOf(state.get(`${conv.name}.weight`)!), mapKernel);
    return spectrum ? [[conv.name, spectrum] as const] : [];
  });
  return new Map(all);
}

/** A layer's figures before and after a run. */
export interface RedundancyChange {
  /** the convolution's */
  name: string;
  /** kernels that the figures are over: all of the layer's */
  planes: number;
  before: RedundancyFigures;
  after: RedundancyFigures;
}

/** @param after of the same network, in the same order */
export const redundancyChanges = (
  before: readonly LayerRedundancy[],
  after: readonly LayerRedundancy[],
): RedundancyChange[] =>
  before.map((layer, i) => ({
    name: layer.name,
    planes: layer.planes,
    before: figuresOf(layer),
    after: figuresOf(after[i]),
  }));

export const figuresOf = ({ divergence, cosine, effectiveRank }: RedundancyFigures): RedundancyFigures => ({
  divergence,
  cosine,
  effectiveRank,
});
