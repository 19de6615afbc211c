import { chooseRefocusPath } from '../ops/refocus/dense';
import { mapLayout } from './layout';
import type { ConvLayer, Model, RefConv, StateEntry } from './model';
import { mapShape, planesOf, type RefocusGeometry } from './refocus-math';

export interface RefConvOptions {
  /** which convolutions: those with one channel a group, all with a kernel above 1 x 1, or these by name */
  layers: 'depthwise' | 'spatial' | readonly string[];
  /** map kernel k; the largest odd number that fits under a smaller kernel */
  mapKernel: number;
  /** the first term of equation 1 */
  identity: boolean;
  /** the basis trains too */
  trainBasis: boolean;
  /** the basis is frozen, but a run puts another in its place now and then: it is part of what snapshots keep; default: it is not */
  rebased?: boolean;
  /** `auto`: factored where it is exact (SGD, frozen basis) and smaller */
  path: 'auto' | 'dense' | 'factored';
  /** whether W_r starts from numbers other than zero */
  startsNonZero: boolean;
}

/** Entries that RefConv adds to a state dict. `.convmap.weight` is the reference implementation's name of W_r. */
export const REFCONV = {
  map: (conv: string) => `${conv}.convmap.weight`,
  /** M of the factored form: W_t = W_b + a (W_r0 B) + M Gram */
  factor: (conv: string) => `${conv}.convmap.factor`,
  gram: (conv: string) => `${conv}.convmap.gram`,
  start: (conv: string) => `${conv}.convmap.start`,
  /** a of the factored form, one for all layers */
  scale: 'convmap.scale',
};

/** Whether that choice of layers makes the convolution a RefConv. */
export function isRefConv({ name, shape, groups }: ConvLayer, layers: RefConvOptions['layers']): boolean {
  const [o, i, kh, kw] = shape;
  if (Array.isArray(layers)) return layers.includes(name);
  if (Math.max(kh, kw) === 1) return false;
  return layers === 'spatial' || (i === 1 && groups > 1 && o >= groups);
}

/** The model with RefConvs: their kernels are frozen or train on, and dense maps stand beside them in the state dict. */
export function withRefConv(model: Model, options: RefConvOptions): Model {
  const role = options.trainBasis ? 'parameter' : options.rebased ? 'state' : 'constant';
  const replaced = new Map<string, StateEntry[]>();
  const layers = model.layers.map((layer) => {
    if (layer.kind !== 'conv' || !isRefConv(layer, options.layers)) return layer;
    const refocused = { ...layer, refconv: refconvOf(layer, options, model.head.name) };
    const name = `${layer.name}.weight`;
    const basis = model.state.find((entry) => entry.name === name)!;
    const map = refocused.refconv.path === 'dense' ? [mapEntry(refocused)] : [];
    replaced.set(name, [{ ...basis, role }, ...map]);
    return refocused;
  });
  return { ...model, layers, state: model.state.flatMap((entry) => replaced.get(entry.name) ?? [entry]) };
}

function refconvOf(conv: ConvLayer, o: RefConvOptions, head: string): RefConv {
  const mapKernel = mapKernelOf(conv, o.mapKernel);
  const { taps, perGroup } = planesOf({ basis: conv.shape, groups: conv.groups, mapKernel });
  const free = o.path === 'auto' ? chooseRefocusPath(taps, perGroup, mapKernel) : o.path;
  // the starts of factored maps fade by one scale, the head's may have a learning rate of its own
  const ownScale = o.startsNonZero && conv.name === head;
  const path = o.trainBasis || ownScale ? 'dense' : free;
  return { path, mapKernel, identity: o.identity, startsNonZero: o.startsNonZero };
}

/** The kernel of a convolution's map: odd, and never larger than the kernel that it refocuses. */
export function mapKernelOf({ shape }: Pick<ConvLayer, 'shape'>, wished: number): number {
  const most = Math.min(wished, shape[2], shape[3]);
  return most % 2 === 1 ? most : most - 1;
}

function mapEntry(conv: RefConvLayer): StateEntry {
  const shape = mapShape(geometryOf(conv));
  const layout = mapLayout(shape, conv.shape, conv.groups);
  return { name: REFCONV.map(conv.name), shape, layout, role: 'parameter', init: 'map' };
}

export type RefConvLayer = ConvLayer & { refconv: RefConv };

/** Where what a factored layer makes of its basis lives: with that basis. */
export const basisRole = ({ state }: Model, { name }: ConvLayer): 'state' | 'constant' =>
  state.find((entry) => entry.name === `${name}.weight`)!.role === 'state' ? 'state' : 'constant';

/** A model's RefConvs in order. */
export const refconvs = ({ layers }: Model): RefConvLayer[] =>
  layers.filter((layer) => layer.kind === 'conv' && layer.refconv !== undefined) as RefConvLayer[];

export const geometryOf = ({ shape, groups, refconv }: RefConvLayer): RefocusGeometry => ({
  basis: shape,
  groups,
  mapKernel: refconv.mapKernel,
});

/** Names and shapes of the maps of a model's RefConvs, whichever path they take. */
export const mapsOf = (model: Model): { name: string; shape: number[] }[] =>
  refconvs(model).map((conv) => ({ name: REFCONV.map(conv.name), shape: mapShape(geometryOf(conv)) }));
