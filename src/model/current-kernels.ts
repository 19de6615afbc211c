/** The kernel that a convolution convolves with at one moment of training, in float64 and without a device. */
import type { StateDict } from '../io/tensor';
import type { BranchedLayer } from './branch-forms';
import { unpack, weightLayout } from './layout';
import { mergedBranches } from './merge-branches';
import type { ConvLayer, Model } from './model';
import { PRECONDITION } from './precondition';
import type { TensorReader } from './read-state';
import { geometryOf, REFCONV, type RefConvLayer } from './refconv';
import { gramOf, refocus, timesGram } from './refocus-math';
import { numbersOf } from './state';

/** What to read of a session for a convolution's kernel, and how it is made of that. */
export interface CurrentKernel {
  /** persistent tensors, as `role:name`; none where the kernel never changes */
  tensors: string[];
  /** OIHW */
  of(read: TensorReader): ArrayLike<number>;
}

/**
 * @param model as it is trained
 * @param start the state that training starts from
 */
export function currentKernel(model: Model, conv: ConvLayer, start: StateDict): CurrentKernel {
  const weight = entryKernel(model, `${conv.name}.weight`, start);
  if (conv.branches) return summed(model, conv as BranchedLayer, start);
  if (conv.precondition) return changed(weight, entryKernel(model, PRECONDITION.change(conv.name), start));
  if (!conv.refconv) return weight;
  const layer = conv as RefConvLayer;
  return layer.refconv.path === 'dense'
    ? mapped(model, layer, weight, start)
    : factored(layer, weight, start);
}

function entryKernel(model: Model, name: string, start: StateDict): CurrentKernel {
  const { role, layout } = model.state.find((entry) => entry.name === name)!;
  if (role === 'constant') {
    const tensor = start.get(name);
    const numbers = tensor ? numbersOf(tensor) : new Float64Array(layout.padded.reduce((a, b) => a * b, 1));
    return { tensors: [], of: () => numbers };
  }
  const key = `${role}:${name}`;
  return { tensors: [key], of: (read) => unpack(read.tensor(key), layout) };
}

/** The kernel that a convolution and its branches come to. */
function summed(model: Model, conv: BranchedLayer, start: StateDict): CurrentKernel {
  const { name, branches } = conv;
  const prefixes = [`${name}.`, ...(branches.norm ? [`${branches.norm.name}.`] : [])];
  const parts = new Map(
    model.state
      .filter((entry) => prefixes.some((prefix) => entry.name.startsWith(prefix)))
      .map((entry) => [entry.name, entryKernel(model, entry.name, start)]),
  );
  return {
    tensors: [...parts.values()].flatMap(({ tensors }) => tensors),
    of: (read) => mergedBranches(conv, (part) => parts.get(part)!.of(read)).get(`${name}.weight`)!,
  };
}

/** W = W_b + D. */
const changed = (base: CurrentKernel, change: CurrentKernel): CurrentKernel => ({
  tensors: [...base.tensors, ...change.tensors],
  of(read) {
    const from = base.of(read);
    return Float64Array.from(change.of(read), (v, i) => from[i] + v);
  },
});

/** W_t of a map as it stands. */
function mapped(model: Model, layer: RefConvLayer, basis: CurrentKernel, start: StateDict): CurrentKernel {
  const map = entryKernel(model, REFCONV.map(layer.name), start);
  return {
    tensors: [...basis.tensors, ...map.tensors],
    of: (read) => refocus(basis.of(read), map.of(read), geometryOf(layer), layer.refconv.identity),
  };
}

/** W_t = W_b + a (W_r0 B) + M Gram, without the map, which may be large. */
function factored(layer: RefConvLayer, basis: CurrentKernel, start: StateDict): CurrentKernel {
  const { name, shape, groups, refconv } = layer;
  const geometry = geometryOf(layer);
  const map = refconv.startsNonZero ? start.get(REFCONV.map(name)) : undefined;
  const [factor, scale] = [`parameter:${REFCONV.factor(name)}`, `parameter:${REFCONV.scale}`];
  /** what stays as it is with the basis */
  const fixed = (kernels: ArrayLike<number>) => ({
    kernels,
    gram: gramOf(kernels, geometry),
    first: map && refocus(kernels, numbersOf(map), geometry, false),
  });
  let known: ReturnType<typeof fixed> | undefined;
  return {
    tensors: [...basis.tensors, factor, scale],
    of(read) {
      if (!known || basis.tensors.length > 0) known = fixed(basis.of(read));
      const { kernels, gram, first } = known;
      const out = timesGram(unpack(read.tensor(factor), weightLayout(shape, groups)), gram, geometry);
      const [a] = read.tensor(scale);
      for (let i = 0; i < out.length; i++) {
        if (refconv.identity) out[i] += kernels[i];
        if (first) out[i] += a * first[i];
      }
      return out;
    },
  };
}
