import type { Graph } from '../../graph/graph';
import type { Constants, Dispatch, Op } from '../../graph/ir';
import { ALIGNMENT, ARENA_PART } from '../../graph/memory';
import { bytesOf, elements, type Tensor } from '../../graph/tensor';
import { workgroupsFor } from '../../graph/workgroups';
import { type FactoredLayer, factoredLayers } from '../refocus/factored';

export interface SgdOptions {
  momentum: number;
  nesterov: boolean;
  weightDecay: number;
  /** largest norm of the whole gradient; 0: no clipping */
  clipNorm: number;
}

export interface AdamWOptions {
  beta1: number;
  beta2: number;
  eps: number;
  weightDecay: number;
  /** largest norm of the whole gradient; 0: no clipping */
  clipNorm: number;
}

/**
 * One step of torch.optim.SGD on every parameter of the graph, in one dispatch over the arenas `parameters`,
 * `gradients` and `momentum`. The learning rate is the step uniform's. Add it after the backward pass; the arenas of
 * gradients and momentum start at zero, and what should not move is a constant, no parameter.
 */
export function sgd(g: Graph, { momentum, nesterov, weightDecay, clipNorm }: SgdOptions): void {
  optimize(g, 'optim/sgd', momentum === 0 ? [] : ['momentum'], clipNorm, 8, {
    MOMENTUM: momentum,
    NESTEROV: nesterov,
    WEIGHT_DECAY: weightDecay,
  });
}

/**
 * One step of torch.optim.AdamW on every parameter of the graph, as `sgd` does it; the arenas `momentum` and
 * `second moment` hold the moments. The step uniform brings the learning rate and `adamCorrections`.
 */
export function adamw(g: Graph, { beta1, beta2, eps, weightDecay, clipNorm }: AdamWOptions): void {
  optimize(g, 'optim/adamw', ['momentum', 'second moment'], clipNorm, 14, {
    ONE_MINUS_BETA1: 1 - beta1,
    BETA2: beta2,
    ONE_MINUS_BETA2: 1 - beta2,
    EPS: eps,
    WEIGHT_DECAY: weightDecay,
  });
}

/** AdamW's bias corrections 1 / (1 - beta^t) for the t-th step, counted from 1. */
export function adamCorrections(
  t: number,
  { beta1, beta2 }: Pick<AdamWOptions, 'beta1' | 'beta2'>,
): { correction1: number; correction2: number } {
  return { correction1: 1 / (1 - beta1 ** t), correction2: 1 / (1 - beta2 ** t) };
}

/** The graph's parameters in vec4s of their arena, cut into the parts that one binding can hold. */
function arenaParts(g: Graph): number[] {
  let bytes = 0;
  for (const t of g.tensors)
    if (t.role === 'parameter') bytes += Math.ceil(bytesOf(t) / ALIGNMENT) * ALIGNMENT;
  const count = Math.max(1, Math.ceil(bytes / ARENA_PART));
  return Array.from({ length: count }, (_, i) => Math.min(ARENA_PART, bytes - i * ARENA_PART) / 4);
}

/** A part of the arena of that name; several nodes may ask for the same one. */
const arena = (g: Graph, name: string, size: number, part: number): Tensor =>
  g.tensor(name, [size], { role: 'arena', part });

interface UpdateAttributes {
  shader: string;
  constants: Constants;
  flopsPerNumber: number;
  /** the arenas of state, as the shader names them */
  state: string[];
}

function optimize(
  g: Graph,
  shader: string,
  state: string[],
  clipNorm: number,
  flopsPerNumber: number,
  constants: Constants,
): void {
  g.phase = 'update';
  const sizes = arenaParts(g);
  const gradients = sizes.map((size, part) => arena(g, 'gradients', size, part));
  const clip = clipNorm > 0 ? clipFactor(g, gradients, factoredLayers(g), clipNorm) : undefined;
  const attrs: UpdateAttributes = {
    shader,
    constants: { ...constants, CLIP: clip !== undefined },
    flopsPerNumber,
    state: state.map((name) => name.replace(' ', '_')),
  };
  sizes.forEach((size, part) => {
    const written = ['parameters', ...state].map((name) => arena(g, name, size, part));
    g.add(update, shader.replace('optim/', ''), [gradients[part], clip], written, attrs);
  });
}

const update: Op = {
  name: 'optimizer',
  lower: ({ inputs: [gradients, clip], outputs: [parameters, ...moments], attrs }) => {
    const { shader, constants, flopsPerNumber, state } = attrs as UpdateAttributes;
    return [
      {
        shader,
        constants,
        reads: { gradients, clip },
        writes: { parameters, ...Object.fromEntries(moments.map((t, i) => [state[i], t])) },
        workgroups: workgroupsFor(elements(parameters) / 4),
        flops: flopsPerNumber * elements(parameters),
        // all but the gradients are read and written
        bytes: (3 + 2 * moments.length) * bytesOf(parameters),
      },
    ];
  },
};

/** The factor that brings the norm of the whole gradient to `maxNorm` at most, and the norm: a tensor `[2]`. */
function clipFactor(g: Graph, gradients: Tensor[], layers: FactoredLayer[], maxNorm: number): Tensor {
  const clip = g.tensor('clip', [2]);
  const inputs = [...gradients, ...layers.flatMap(({ m, gram }) => [g.gradientOf(m), gram])];
  const attrs: ClipAttributes = {
    maxNorm,
    parts: gradients.length,
    layers: layers.map(({ constants, flops }) => ({ constants, flops })),
  };
  g.add(clipOp, 'gradient', inputs, [clip], attrs);
  return clip;
}

interface ClipAttributes {
  maxNorm: number;
  /** bindings that the arena of gradients takes */
  parts: number;
  layers: Pick<FactoredLayer, 'constants' | 'flops'>[];
}

/**
 * Sums of squares in two stages, in a fixed order. A factored RefConv layer counts with the norm of the map's gradient
 * that it stands for, trace(dM Gram dM^T), so that clipping is the same whichever form the layer has.
 */
const clipOp: Op = {
  name: 'clip_norm',
  lower: ({ inputs, outputs: [clip], attrs }, { temporary }) => {
    const { maxNorm, parts, layers } = attrs as ClipAttributes;
    const gradients = inputs.slice(0, parts);
    const factored = layers.map((layer, j) => {
      const [dm, gram] = inputs.slice(parts + 2 * j) as Tensor[];
      return { ...layer, dm, gram };
    });
    const threads = gradients.map((t) => Math.min(65536, Math.max(64, Math.ceil(elements(t!) / 4 / 16))));
    const extra = factored.map(({ dm }) => elements(dm) / 4);
    const partial = temporary('gradient partial', [[...threads, ...extra].reduce((a, b) => a + b, 0)]);
    let first = 0;
    const dispatches = gradients.map((gradient, part): Dispatch => {
      const dispatch = squareSums(gradient!, partial, first, threads[part]);
      first += threads[part];
      return dispatch;
    });
    factored.forEach(({ dm, gram, constants, flops }, j) => {
      dispatches.push({
        shader: 'optim/gram_excess',
        constants: { ...constants, FIRST: first },
        reads: { m: dm, gram },
        writes: { partial },
        workgroups: workgroupsFor(extra[j]),
        flops,
        bytes: bytesOf(dm) + bytesOf(gram) + 4 * extra[j],
      });
      first += extra[j];
    });
    dispatches.push({
      shader: 'optim/clip_factor',
      constants: { SIZE: first, MAX_NORM: maxNorm },
      reads: { partial },
      writes: { clip },
      workgroups: [1, 1, 1],
      flops: first,
    });
    return dispatches;
  },
};

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
