import { floats, type StateDict } from '../io/tensor';
import type { Net } from './net';
import { REFCONV } from './refconv';
import { refocus } from './refocus-math';
import { mapsOf, numbersOf } from './state';

/**
 * The plain network's state of a RefConv network's: W_t = identity * W_b + conv2d(W_b, W_r) in float64 in the place of
 * each basis, no maps, everything else as it is. A map that the state lacks is zero.
 */
export function mergeState(net: Net, state: StateDict): StateDict {
  const maps = new Set(mapsOf(net).map(({ name }) => name));
  const merged: StateDict = new Map([...state].filter(([name]) => !maps.has(name)));
  const identity = net.options.refconv?.identity ?? true;
  for (const { name, refconv } of net.convs) {
    if (!refconv) continue;
    const basis = state.get(`${name}.weight`);
    if (!basis) throw new Error(`the state has no ${name}.weight`);
    const map = state.get(REFCONV.map(name));
    let weight: ArrayLike<number> = numbersOf(basis);
    if (map) weight = refocus(weight, numbersOf(map), refconv.geometry, identity);
    else if (!identity) weight = new Float32Array(weight.length);
    merged.set(`${name}.weight`, floats(basis.shape, weight));
  }
  return merged;
}
