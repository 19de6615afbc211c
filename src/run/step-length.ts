/** How far refocusing's steps go, told before a run. */
import type { Model } from '../model/model';
import { preconditionedLayers } from '../model/precondition';
import { refconvs } from '../model/refconv';
import type { RunSettings } from '../train/settings';
import type { GramSpectrum } from './gram-spectrum';

/** Matrices that have the Gram matrix's largest eigenvalue. */
const OF_ITS_SPECTRUM: readonly string[] = ['gram', 'random'];

/**
 * One sentence on a run whose steps are multiplied by a Gram matrix; nothing where they are not.
 * @param model as it trains
 * @param grams of each spatial convolution, by its name
 */
export function stepLengthSentence(
  model: Model,
  { method, optimizer, preconditioner, lr }: RunSettings,
  grams: ReadonlyMap<string, GramSpectrum>,
): string | undefined {
  const isMultiplied =
    method === 'refocus' || (method === 'precondition' && OF_ITS_SPECTRUM.includes(preconditioner));
  if (!isMultiplied || optimizer !== 'sgd') return undefined;
  const names = [...refconvs(model), ...preconditionedLayers(model)].map(({ name }) => name);
  const largest = names
    .flatMap((name) => {
      const spectrum = grams.get(name);
      return spectrum ? [{ name, times: spectrum.eigenvalues[0] }] : [];
    })
    .reduce((a, b) => (b.times > a.times ? b : a), { name: '', times: 0 });
  if (largest.times < MANY) return undefined;
  const times = Number(largest.times.toPrecision(2));
  return `Along one direction the kernels of ${largest.name} move ${times} times as far as fine-tuning at this rate would move them (its Gram matrix's largest eigenvalue): where the loss rises, take a rate below ${lr}.`;
}

/** Steps that are little longer need no word. */
const MANY = 3;
