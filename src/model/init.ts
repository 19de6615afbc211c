import { product } from '../graph/tensor';
import { floats, type StateDict } from '../io/tensor';
import type { Init, Model } from './model';
import { normals, uniforms } from './random';
import { mapsOf } from './refconv';

/**
 * A state to train from, in PyTorch's shapes: a function of the seed, each entry's name and shape alone. Convolutions
 * are Kaiming-normal over fan-out and classifiers as torch.nn.Linear starts; maps are left out (zero) or start as
 * torch.nn.Conv2d does, Kaiming-uniform with a = sqrt(5).
 */
export function initialState(model: Model, seed: number, maps: 'zeros' | 'kaiming' = 'zeros'): StateDict {
  const state: StateDict = new Map();
  for (const { name, shape, init } of model.state) {
    if (init !== 'map') state.set(name, floats(shape, initial(shape, init, uniforms(seed, name))));
  }
  if (maps === 'kaiming') {
    for (const { name, shape } of mapsOf(model)) {
      const init = { uniform: product(shape.slice(1)) ** -0.5 };
      state.set(name, floats(shape, initial(shape, init, uniforms(seed, name))));
    }
  }
  return state;
}

function initial(shape: readonly number[], init: Exclude<Init, 'map'>, uniform: () => number) {
  const data = new Float32Array(product(shape));
  if (init === 'ones') return data.fill(1);
  if (init === 'zeros') return data;
  if (init === 'kaiming-normal') {
    // fan-out of an OIHW weight, as torch.nn.init counts it: groups are not looked at
    const deviation = Math.sqrt(2 / (shape[0] * product(shape.slice(2))));
    return normal(data, deviation, uniform);
  }
  if ('normal' in init) return normal(data, init.normal, uniform);
  if ('constant' in init) return data.fill(init.constant, 0, data.length - (init.zeros ?? 0));
  return data.map(() => (2 * uniform() - 1) * init.uniform);
}

function normal(data: Float32Array, deviation: number, uniform: () => number): Float32Array {
  const draw = normals(uniform);
  return data.map(() => draw() * deviation);
}
