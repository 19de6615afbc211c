import { product } from '../graph/tensor';
import { floats, type StateDict } from '../io/tensor';
import { Turns } from '../turns';
import { expandMap } from './expand-map';
import { unpack, weightLayout } from './layout';
import type { Model } from './model';
import { geometryOf, REFCONV } from './refconv';
import { mapShape } from './refocus-math';
import { factoredLayers, numbersOf } from './state';

/** Where tensors come from: a session's snapshot. */
export interface TensorReader {
  tensor(key: string): Float32Array;
}

/**
 * The network's state as a snapshot holds it. What never changes (a frozen basis, the start of a factored map) comes
 * from `start`, the state that was loaded; the map of a factored layer is formed from its factors.
 */
export async function readState(snapshot: TensorReader, model: Model, start: StateDict): Promise<StateDict> {
  const state: StateDict = new Map();
  for (const { name, shape, role, layout } of model.state) {
    const constant = role === 'constant' ? start.get(name) : undefined;
    state.set(name, constant ?? floats(shape, unpack(snapshot.tensor(`${role}:${name}`), layout)));
  }
  const factored = factoredLayers(model);
  if (factored.length === 0) return state;
  const [a] = snapshot.tensor(`parameter:${REFCONV.scale}`);
  const turns = new Turns();
  for (const layer of factored) {
    await turns.next();
    const { name, shape, groups } = layer;
    const geometry = geometryOf(layer);
    const m = unpack(snapshot.tensor(`parameter:${REFCONV.factor(name)}`), weightLayout(shape, groups));
    const first = start.get(REFCONV.map(name));
    const basis = numbersOf(state.get(`${name}.weight`)!);
    const mapped = mapShape(geometry);
    const map = new Float32Array(product(mapped));
    expandMap(m, basis, geometry, first && numbersOf(first), a, map);
    state.set(REFCONV.map(name), floats(mapped, map));
  }
  return state;
}
