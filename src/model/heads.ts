import type { StateDict } from '../io/tensor';
import { vectorLayout, weightLayout } from './layout';
import { headChannels, type Layer, type Model, type StateEntry } from './model';

/**
 * A plain model with another number of classes: the head and its entries of the state dict change their shapes, all
 * else is the same.
 */
export function withHead(model: Model, classes: number): Model {
  const { name } = model.head;
  const channels = headChannels(model.task, classes);
  const layers = model.layers.map((layer): Layer => {
    if (layer.kind === 'linear' && layer.name === name)
      return { ...layer, shape: [channels, layer.shape[1]] };
    if (layer.kind !== 'conv' || layer.name !== name) return layer;
    const [, i, kh, kw] = layer.shape;
    return { ...layer, shape: [channels, i, kh, kw] };
  });
  const state = model.state.map((entry): StateEntry => {
    const shape = [channels, ...entry.shape.slice(1)];
    if (entry.name === `${name}.weight`) return { ...entry, shape, layout: weightLayout(shape) };
    if (entry.name === `${name}.bias`) return { ...entry, shape, layout: vectorLayout(shape) };
    return entry;
  });
  return { ...model, layers, state, head: { ...model.head, classes } };
}

/** Names of the head's entries of the state dict. */
export const headEntries = ({ head }: Model): ReadonlySet<string> =>
  new Set([`${head.name}.weight`, `${head.name}.bias`]);

/** The classes that a state tells apart by the model's head; undefined where it has no such tensor. */
export function classesOf({ head, task }: Model, state: StateDict): number | undefined {
  const channels = state.get(`${head.name}.weight`)?.shape[0];
  return channels === undefined ? undefined : channels - headChannels(task, 0);
}
