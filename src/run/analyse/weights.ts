import { weightChange } from '../../analysis/weight-change';
import { product } from '../../graph/tensor';
import { numbersOf } from '../../model/state';
import { figuresOf, networkGrams, networkRedundancy } from '../redundancy';
import type { Subject } from './context';
import type { LayerFigures, WeightsResult } from './result';

/** What weights alone tell; needs no GPU. */
export function analyseWeights(subjects: readonly Subject[]): WeightsResult {
  const [first, ...others] = subjects;
  return { networks: subjects.map(layersOf), changes: others.map((other) => changesOf(first, other)) };
}

function layersOf({ model, state }: Subject): LayerFigures[] {
  const grams = networkGrams(model, state);
  return networkRedundancy(model, state).map((layer) => {
    const { name, shape, planes, skeleton } = layer;
    const { effectiveRank, ...figures } = figuresOf(layer);
    const gram = grams.get(name);
    return {
      name,
      shape,
      planes,
      ...figures,
      // JSON has no NaN
      ...(Number.isFinite(effectiveRank) && { effectiveRank }),
      skeleton: Array.from(skeleton, (sum) => sum / planes),
      ...(gram && {
        gram: {
          mapKernel: gram.mapKernel,
          groups: gram.groups,
          eigenvalues: [...gram.eigenvalues],
          directions: gram.directions,
        },
      }),
    };
  });
}

function changesOf(first: Subject, other: Subject): WeightsResult['changes'][number] {
  const weights = first.model.state.filter(({ role, shape }) => role !== 'state' && shape.length > 1);
  const numbers = ({ state }: Subject, name: string) => numbersOf(state.get(name)!);
  const layers = weights.map(({ name, shape }) => ({
    name: name.replace(/\.weight$/, ''),
    shape,
    ...weightChange(numbers(first, name), numbers(other, name)),
  }));
  const all = (subject: Subject) => {
    const out = new Float64Array(weights.reduce((sum, { shape }) => sum + product(shape), 0));
    let at = 0;
    for (const { name, shape } of weights) {
      out.set(numbers(subject, name), at);
      at += product(shape);
    }
    return out;
  };
  return { layers, whole: weightChange(all(first), all(other)) };
}
