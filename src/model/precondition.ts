/**
 * Fine-tuning whose weight gradient is multiplied by a constant matrix over the taps: what refocusing under SGD is (see
 * src/ops/refocus/precondition.ts), and its controls.
 */
import { weightLayout } from './layout';
import type { ConvLayer, Model, Precondition, StateEntry } from './model';
import { normals, uniforms } from './random';
import { isRefConv, mapKernelOf, type RefConvOptions } from './refconv';
import { gramOf, planesOf, type RefocusGeometry } from './refocus-math';

export interface PreconditionOptions {
  layers: RefConvOptions['layers'];
  matrix: Precondition['matrix'];
  /** k of the map that it stands for; the largest odd number that fits under a smaller kernel */
  mapKernel: number;
  seed: number;
}

/** Entries that it adds to a state dict, and the constant beside them. */
export const PRECONDITION = {
  /** D of W = W_b + D */
  change: (conv: string) => `${conv}.weight.change`,
  matrix: (conv: string) => `${conv}.weight.preconditioner`,
};

export type PreconditionedLayer = ConvLayer & { precondition: Precondition };

/** A model's convolutions with a preconditioner, in order. */
export const preconditionedLayers = ({ layers }: Model): PreconditionedLayer[] =>
  layers.filter((layer) => layer.kind === 'conv' && layer.precondition) as PreconditionedLayer[];

/** The model with preconditioners: the kernels are frozen, and what they change by stands beside them in the state dict. */
export function withPrecondition(model: Model, { layers: choice, ...o }: PreconditionOptions): Model {
  const replaced = new Map<string, StateEntry[]>();
  const layers = model.layers.map((layer) => {
    if (layer.kind !== 'conv' || !isRefConv(layer, choice)) return layer;
    const name = `${layer.name}.weight`;
    const base = model.state.find((entry) => entry.name === name)!;
    const change: StateEntry = { ...base, name: PRECONDITION.change(layer.name), init: 'map' };
    replaced.set(name, [{ ...base, role: 'constant' }, change]);
    const { matrix, seed } = o;
    return { ...layer, precondition: { matrix, seed, mapKernel: mapKernelOf(layer, o.mapKernel) } };
  });
  return { ...model, layers, state: model.state.flatMap((entry) => replaced.get(entry.name) ?? [entry]) };
}

/** The layout of a layer's weight and of its change. */
export const changeLayout = ({ shape, groups }: ConvLayer) => weightLayout(shape, groups);

/** Matrices of a layer, T x T each for T taps: one a map group, one a plane, or one for all. */
export function matrixCount({ shape, groups, precondition }: PreconditionedLayer): number {
  const { planes, mapGroups } = planesOf(geometryOf({ shape, groups, precondition }));
  const counts = { own: planes, layer: 1 };
  return counts[precondition.matrix as keyof typeof counts] ?? mapGroups;
}

const geometryOf = ({
  shape,
  groups,
  precondition,
}: Pick<PreconditionedLayer, 'shape' | 'groups' | 'precondition'>): RefocusGeometry => ({
  basis: shape,
  groups,
  mapKernel: precondition.mapKernel,
});

/**
 * The matrices P `[matrixCount, T, T]` of a layer with these kernels (OIHW), all of one trace, summed over its planes:
 * - `gram`: BᵀB of each map group's kernels, with which fine-tuning is refocusing;
 * - `random`: R BᵀB Rᵀ with a random rotation R, of the same spectrum along other directions;
 * - `diagonal`: the diagonal of BᵀB, a step size a tap;
 * - `own`: of each kernel its own BᵀB times the kernels of its map group, whose mean the group's BᵀB is: no kernel has a say in
 *   another's step;
 * - `identity`: trace(BᵀB) / T times the identity, a step size a map group;
 * - `layer`: the mean of these over the map groups, a step size a layer.
 */
export function preconditionerOf(layer: PreconditionedLayer, kernels: ArrayLike<number>): Float64Array {
  const geometry = geometryOf(layer);
  const { perGroup, mapGroups, taps } = planesOf(geometry);
  switch (layer.precondition.matrix) {
    case 'gram':
      return gramOf(kernels, geometry);
    case 'random': {
      const rotation = randomRotation(taps, normals(uniforms(layer.precondition.seed, layer.name)));
      return eachMatrix(gramOf(kernels, geometry), taps, (gram) => rotated(gram, rotation, taps));
    }
    case 'diagonal':
      return eachMatrix(gramOf(kernels, geometry), taps, (gram) => diagonal(taps, (t) => gram[t * taps + t]));
    case 'own':
      return gramOf(kernels, { ...geometry, groups: 1 }).map((v) => v * perGroup);
    case 'identity':
      return eachMatrix(gramOf(kernels, geometry), taps, (gram) => scaledIdentity(taps, trace(gram, taps)));
    case 'layer': {
      const gram = gramOf(kernels, geometry);
      let sum = 0;
      eachMatrix(gram, taps, (one) => {
        sum += trace(one, taps);
        return one;
      });
      return scaledIdentity(taps, sum / mapGroups);
    }
  }
}

function eachMatrix(
  all: Float64Array,
  taps: number,
  make: (one: Float64Array) => Float64Array,
): Float64Array {
  const out = new Float64Array(all.length);
  for (let at = 0; at < all.length; at += taps * taps) out.set(make(all.subarray(at, at + taps * taps)), at);
  return out;
}

const diagonal = (n: number, value: (t: number) => number): Float64Array =>
  Float64Array.from({ length: n * n }, (_, at) => (at % (n + 1) === 0 ? value(at / (n + 1)) : 0));

const scaledIdentity = (n: number, total: number): Float64Array => diagonal(n, () => total / n);

function trace(matrix: Float64Array, n: number): number {
  let sum = 0;
  for (let t = 0; t < n; t++) sum += matrix[t * n + t];
  return sum;
}

/** An orthogonal matrix, uniform over all of them: rows of normal numbers made orthogonal by Gram and Schmidt, twice against rounding. */
export function randomRotation(n: number, normal: () => number): Float64Array {
  const rows = Array.from({ length: n }, () => Float64Array.from({ length: n }, normal));
  rows.forEach((row, i) => {
    for (let pass = 0; pass < 2; pass++)
      for (const earlier of rows.slice(0, i)) {
        const along = earlier.reduce((sum, v, k) => sum + v * row[k], 0);
        for (let k = 0; k < n; k++) row[k] -= along * earlier[k];
      }
    const length = Math.hypot(...row);
    for (let k = 0; k < n; k++) row[k] /= length;
  });
  return Float64Array.from(rows.flatMap((row) => [...row]));
}

/** R matrix Rᵀ, symmetric to the bit. */
function rotated(matrix: Float64Array, rotation: Float64Array, n: number): Float64Array {
  const half = new Float64Array(n * n);
  for (let a = 0; a < n; a++)
    for (let k = 0; k < n; k++) {
      const r = rotation[a * n + k];
      for (let b = 0; b < n; b++) half[a * n + b] += r * matrix[k * n + b];
    }
  const out = new Float64Array(n * n);
  for (let a = 0; a < n; a++)
    for (let b = 0; b <= a; b++) {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += half[a * n + k] * rotation[b * n + k];
      out[a * n + b] = sum;
      out[b * n + a] = sum;
    }
  return out;
}
