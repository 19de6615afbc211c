import type { Constants, Dispatch, GraphBuilder, Op, Tensors } from '../../graph/ir';
import { bytesOf, elements, type Tensor } from '../../graph/tensor';
import { workgroupsFor } from '../../graph/workgroups';
import type { FactoredLayer } from '../refocus/factored';

/**
 * The factor that brings the norm of the whole gradient to `maxNorm` at most, and the norm: a tensor `[2]`. `gradients` are
 * the parts of their arena; a factored layer's gradient lies there too.
 */
export function clipFactor(
  g: GraphBuilder,
  gradients: readonly Tensor[],
  layers: readonly FactoredLayer[],
  maxNorm: number,
): Tensor {
  const clip = g.tensor('clip', [2]);
  const inputs: Tensors = {};
  gradients.forEach((part, i) => {
    inputs[`gradients${i}`] = part;
  });
  layers.forEach(({ m, gram }, i) => {
    inputs[`dm${i}`] = g.gradientOf(m);
    inputs[`gram${i}`] = gram;
  });
  const attrs = {
    maxNorm,
    parts: gradients.length,
    layers: layers.map(({ constants, flops }) => ({ constants, flops })),
  };
  g.add(clipOp, 'gradient', inputs, { clip }, attrs);
  return clip;
}

interface ClipNorm {
  /** `gradients0` and so on, a binding's worth of the arena each; `dm0`, `gram0` and so on of the factored layers */
  inputs: Tensors;
  outputs: { clip: Tensor };
  attrs: {
    maxNorm: number;
    /** of the arena of gradients */
    parts: number;
    /** the factored layers */
    layers: { constants: Constants; flops: number }[];
  };
}

/**
 * Sums of squares in two stages, in a fixed order. A factored RefConv layer counts with the norm of the map's gradient
 * that it stands for, trace(dM Gram dM^T), so that clipping is the same whichever form the layer has.
 */
const clipOp: Op<ClipNorm> = {
  name: 'clip_norm',
  lower: ({ inputs, outputs: { clip }, attrs: { maxNorm, parts, layers } }, { temporary }) => {
    const gradients = Array.from({ length: parts }, (_, i) => inputs[`gradients${i}`]!);
    const factored = layers.map((layer, i) => ({
      ...layer,
      dm: inputs[`dm${i}`]!,
      gram: inputs[`gram${i}`]!,
    }));
    const sums = [
      ...gradients.map((t) => Math.min(65536, Math.max(64, Math.ceil(elements(t) / 4 / 16)))),
      ...factored.map(({ dm }) => elements(dm) / 4),
    ];
    const firsts = sums.map((_, i) => sums.slice(0, i).reduce((a, b) => a + b, 0));
    const size = sums.reduce((a, b) => a + b, 0);
    const partial = temporary('gradient partial', [size]);
    return [
      ...gradients.map((t, i) => squareSums(t, partial, firsts[i], sums[i])),
      ...factored.map((layer, i) => gramExcess(layer, partial, firsts[parts + i], sums[parts + i])),
      {
        shader: 'optim/clip_factor',
        constants: { SIZE: size, MAX_NORM: maxNorm },
        reads: { partial },
        writes: { clip },
        workgroups: [1, 1, 1],
        flops: size,
      },
    ];
  },
};

/** `threads` sums of squares, into `partial` from `first` on. */
function squareSums(gradients: Tensor, partial: Tensor, first: number, threads: number): Dispatch {
  return {
    shader: 'optim/square_sums',
    constants: { THREADS: threads, FIRST: first },
    reads: { gradients },
    writes: { partial },
    workgroups: workgroupsFor(threads),
    flops: 2 * elements(gradients),
    bytes: bytesOf(gradients) + 4 * threads,
  };
}

/** What a factored layer's map adds to the squares of dM: `threads` sums, into `partial` from `first` on. */
function gramExcess(
  { dm, gram, constants, flops }: { dm: Tensor; gram: Tensor; constants: Constants; flops: number },
  partial: Tensor,
  first: number,
  threads: number,
): Dispatch {
  return {
    shader: 'optim/gram_excess',
    constants: { ...constants, FIRST: first },
    reads: { m: dm, gram },
    writes: { partial },
    workgroups: workgroupsFor(threads),
    flops,
    bytes: bytesOf(dm) + bytesOf(gram) + 4 * threads,
  };
}
