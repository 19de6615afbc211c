import { floats, type StateDict } from '../io/tensor';
import { foldNorms } from './fold-norms';
import type { Model } from './model';
import { geometryOf, mapsOf, REFCONV, refconvs } from './refconv';
import { refocus } from './refocus-math';
import { numbersOf } from './state';

/**
 * The plain network's state of a RefConv network's: W_t = identity * W_b + conv2d(W_b, W_r) in float64 in the place of
 * each basis, no maps, everything else as it is. A map that the state lacks is zero. Batch norms that were added for the
 * training are folded into their convolutions.
 */
export function mergeState(model: Model, state: StateDict): StateDict {
  const maps = new Set(mapsOf(model).map(({ name }) => name));
  const merged: StateDict = new Map([...state].filter(([name]) => !maps.has(name)));
  for (const conv of refconvs(model)) {
    const { name, refconv } = conv;
    const basis = state.get(`${name}.weight`);
    if (!basis) throw new Error(`the state has no ${name}.weight`);
    const map = state.get(REFCONV.map(name));
    let weight: ArrayLike<number> = numbersOf(basis);
    if (map) weight = refocus(weight, numbersOf(map), geometryOf(conv), refconv.identity);
    else if (!refconv.identity) weight = new Float32Array(weight.length);
    merged.set(`${name}.weight`, floats(basis.shape, weight));
  }
  return foldNorms(model, merged, ({ added }) => added === true).state;
}
