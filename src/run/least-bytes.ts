import { product } from '../graph/tensor';
import type { Layer } from '../model/model';
import type { Program } from '../train/programs';

/** Passes over a layer's first input and its output, as activations (of `kept` bytes a number) and as gradients. */
interface Passes {
  activations: { inputs: number; outputs: number };
  gradients: { inputs: number; outputs: number };
}

/** A layer that others take in as they read and write. */
const NOTHING: Passes = {
  activations: { inputs: 0, outputs: 0 },
  gradients: { inputs: 0, outputs: 0 },
};

/**
 * The least traffic of a training step, in bytes: every layer that has to pass over its numbers does so as seldom as it
 * can, and all that stands between such layers happens as these read and write. docs/performance.md tells why for each
 * kind. `kept` bytes a number are what activations take, 4 what gradients, weights and the optimiser's numbers do.
 */
export function leastBytes(
  { instance: { values }, model: { layers }, graph }: Pick<Program, 'instance' | 'model' | 'graph'>,
  kept: number,
): number {
  const writers = new Map(layers.map((layer) => [layer.id, layer]));
  const readers = new Map<number, Layer[]>();
  for (const layer of layers) {
    for (const id of layer.inputs) readers.set(id, [...(readers.get(id) ?? []), layer]);
  }
  const size = (id: number) => product(values.get(id)!.shape);
  const activations = layers.reduce((sum, layer) => {
    const [input] = layer.inputs;
    const { activations, gradients } = passes(layer, {
      pixels: product(values.get(input)!.shape.slice(1, 3)),
      addsNorm: layer.inputs.some((id) => writers.get(id)?.kind === 'batch_norm'),
      activated: readers.get(layer.id)?.some(({ kind }) => kind === 'activation') ?? false,
    });
    return (
      sum +
      size(input) * (kept * activations.inputs + 4 * gradients.inputs) +
      size(layer.id) * (kept * activations.outputs + 4 * gradients.outputs)
    );
  }, 0);
  const weights = graph.tensors
    .filter((t) => t.role === 'parameter')
    .reduce((sum, t) => sum + product(t.shape), 0);
  return activations + 4 * 8 * weights;
}

interface Place {
  /** of the first input */
  pixels: number;
  /** a batch norm writes a term */
  addsNorm: boolean;
  /** an activation reads the result */
  activated: boolean;
}

function passes({ kind }: Layer, { pixels, addsNorm, activated }: Place): Passes {
  switch (kind) {
    case 'linear':
      // ConvNeXt's are 1 x 1 convolutions; a classifier's one pixel is next to nothing
      if (pixels === 1) return NOTHING;
      return CONVOLUTION;
    case 'conv':
      return CONVOLUTION;
    case 'add':
      return {
        activations: { inputs: 0, outputs: (addsNorm ? 3 : 1) + (activated ? 1 : 0) },
        gradients: { inputs: 0, outputs: 1 },
      };
    case 'max_pool':
      return { activations: { inputs: 2, outputs: 1 }, gradients: { inputs: 1, outputs: 1 } };
    case 'avg_pool':
    case 'adaptive_avg_pool':
    case 'upsample':
      return { activations: { inputs: 1, outputs: 1 }, gradients: { inputs: 1, outputs: 1 } };
    default:
      return NOTHING;
  }
}

/**
 * Forward reads the input and writes the raw output. The gradients of input and weight each read the gradient behind the output
 * and the raw output beside it (a batch norm's backward pass), one reads the input again, and the other writes its gradient.
 */
const CONVOLUTION: Passes = {
  activations: { inputs: 2, outputs: 3 },
  gradients: { inputs: 1, outputs: 2 },
};
