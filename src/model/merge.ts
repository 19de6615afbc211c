import { floats, type StateDict } from '../io/tensor';
import { Turns } from '../turns';
import { branchedLayers, branchPrefix } from './branch-forms';
import { foldNorms } from './fold-norms';
import { mergedBranches } from './merge-branches';
import type { Model } from './model';
import { PRECONDITION, preconditionedLayers } from './precondition';
import { geometryOf, mapsOf, REFCONV, refconvs } from './refconv';
import { refocus } from './refocus-math';
import { numbersOf } from './state';
import { withoutSums } from './structural';

/**
 * The plain network's state of a RefConv network's: W_t = identity * W_b + conv2d(W_b, W_r) in float64 in the place of
 * each basis, no maps, everything else as it is; of a preconditioned one W = W_b + D, and of
 * branches their one convolution. A map, or a D, that the state lacks is zero. Batch norms that were added for the
 * training are folded into their convolutions.
 */
export async function mergeState(model: Model, state: StateDict): Promise<StateDict> {
  const maps = new Set(mapsOf(model).map(({ name }) => name));
  const merged: StateDict = new Map([...state].filter(([name]) => !maps.has(name)));
  const turns = new Turns();
  for (const conv of refconvs(model)) {
    await turns.next();
    const { name, refconv } = conv;
    const basis = state.get(`${name}.weight`);
    if (!basis) throw new Error(`the state has no ${name}.weight`);
    const map = state.get(REFCONV.map(name));
    let weight: ArrayLike<number> = numbersOf(basis);
    if (map) weight = refocus(weight, numbersOf(map), geometryOf(conv), refconv.identity);
    else if (!refconv.identity) weight = new Float32Array(weight.length);
    merged.set(`${name}.weight`, floats(basis.shape, weight));
  }
  for (const { name } of preconditionedLayers(model)) {
    const base = state.get(`${name}.weight`)!;
    const change = state.get(PRECONDITION.change(name));
    merged.delete(PRECONDITION.change(name));
    if (change) merged.set(`${name}.weight`, floats(base.shape, sum(numbersOf(base), numbersOf(change))));
  }
  for (const conv of branchedLayers(model)) {
    for (const name of state.keys()) if (name.startsWith(branchPrefix(conv.name))) merged.delete(name);
    const read = (name: string) => numbersOf(state.get(name)!);
    for (const [name, data] of mergedBranches(conv, read))
      merged.set(name, floats(state.get(name)!.shape, data));
  }
  return foldNorms({ ...model, layers: withoutSums(model.layers) }, merged, ({ added }) => added === true)
    .state;
}

const sum = (a: ArrayLike<number>, b: ArrayLike<number>): Float64Array =>
  Float64Array.from(a, (v, i) => v + b[i]);
