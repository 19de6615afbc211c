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
  const isNormed = (id: number): boolean => {
    const writer = writers.get(id);
    return writer?.kind === 'batch_norm' || (PASSED_ON.has(writer?.kind) && writer!.inputs.some(isNormed));
  };
  const activations = layers.reduce((sum, layer) => {
    const [input] = layer.inputs;
    const { activations, gradients } = passes(layer, {
      pixels: product(values.get(input)!.shape.slice(1, 3)),
      addsNorm: layer.inputs.some(isNormed),
      activated: readers.get(layer.id)?.some(({ kind }) => kind === 'activation') ?? false,
    });
    return (
      sum +
      size(input) * (kept * activations.inputs + 4 * gradients.inputs) +
      size(layer.id) * (kept * activations.outputs + 4 * gradients.outputs)
    );
  }, 0);
  // of what several layers read, the gradients that they give are added up: whoever adds one reads the sum so far
  const added = layers.reduce((sum, { id }) => {
    const given = (readers.get(id) ?? []).reduce((total, reader) => total + gradientFor(reader, id, size), 0);
    return sum + Math.max(0, given - size(id));
  }, 0);
  const weights = graph.tensors
    .filter((t) => t.role === 'parameter')
    .reduce((sum, t) => sum + product(t.shape), 0);
  return activations + 4 * added + 4 * 8 * weights;
}

/** Numbers of the gradient that a layer gives to its input `id`: to what it does not read, none. */
function gradientFor(layer: Layer, id: number, size: (id: number) => number): number {
  switch (layer.kind) {
    case 'slice':
    case 'subsample':
    // whoever adds it makes it of one number a channel and image
    case 'global_avg_pool':
      return Math.min(size(id), size(layer.id));
    case 'replace':
      return id === layer.inputs[0] ? size(id) - size(layer.inputs[1]) : size(id);
    default:
      return size(id);
  }
}

/** Layers whose result still waits for the statistics of a batch norm that is before them. */
const PASSED_ON: ReadonlySet<Layer['kind'] | undefined> = new Set<Layer['kind']>([
  'activation',
  'concat',
  'depth_to_space',
  'dropout',
  'mul',
  'replace',
  'shuffle',
  'slice',
  'space_to_depth',
  'stochastic_depth',
]);

interface Place {
  /** of the first input */
  pixels: number;
  /** a term is made of what a batch norm writes */
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
        gradients: { inputs: 0, outputs: 0 },
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
