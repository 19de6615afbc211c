import { product } from '../graph/tensor';
import type { Layer } from '../model/model';
import type { Program } from '../train/programs';

/**
 * The least memory of a training step that computes nothing twice, in bytes, the data set apart: what persists, and at the worst
 * moment of the backward pass the raw output of every layer before it that passes over its numbers, once, with the gradients of
 * its output and input. What stands between such layers is made anew as they read. docs/performance.md says which layers these
 * are; `kept` bytes a number are what activations take, 4 what gradients do.
 */
export function leastMemory(
  { instance: { values }, model: { layers }, plan }: Pick<Program, 'instance' | 'model' | 'plan'>,
  kept: number,
): number {
  const size = (id: number) => product(values.get(id)!.shape);
  const written = sums(layers);
  const images = layers.find(({ inputs }) => inputs.length > 0)!.inputs[0];
  let held = 4 * size(images);
  let most = 0;
  for (const layer of layers) {
    const [input] = layer.inputs;
    if (written.has(layer.id) || !keeps(layer, product(values.get(input)!.shape.slice(1, 3)))) continue;
    held += kept * size(layer.id);
    most = Math.max(most, held + 4 * (size(layer.id) + (input === images ? 0 : size(input))));
  }
  return persistent(plan.buffers) + most;
}

/** What is written as part of a sum, and by itself nowhere: terms that no other layer reads, dropped in part or not. */
function sums(layers: readonly Layer[]): Set<number> {
  const terms = new Set<number>();
  for (const { kind, inputs, id } of [...layers].reverse()) {
    const passes = kind === 'add' || ((kind === 'dropout' || kind === 'stochastic_depth') && terms.has(id));
    if (!passes) continue;
    for (const input of inputs) {
      const readers = layers.filter((layer) => layer.inputs.includes(input));
      if (readers.every((reader) => reader.kind === 'add' || reader.id === id)) terms.add(input);
    }
  }
  return terms;
}

/** Bytes of weights, gradients and what an optimiser remembers of them. */
const persistent = (buffers: Readonly<Record<string, number>>): number =>
  Object.entries(buffers)
    .filter(([name]) => !/^(slot|input) /.test(name))
    .reduce((sum, [, bytes]) => sum + bytes, 0);

/** Whether a layer has a raw output, where it is no term of a sum that is written as it is. @param pixels of its input */
function keeps({ kind }: Layer, pixels: number): boolean {
  switch (kind) {
    case 'linear':
      // a classifier's one pixel is next to nothing
      return pixels > 1;
    case 'conv':
    case 'add':
    case 'max_pool':
    case 'avg_pool':
      return true;
    default:
      return false;
  }
}
