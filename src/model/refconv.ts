import type { Tensor } from '../graph/tensor';
import { refocusFactored } from '../ops/refocus/factored';
import { chooseRefocusPath, refocusMap } from '../ops/refocus/refocus';
import { mapLayout, vectorLayout, weightLayout } from './layout';
import type { ConvLayer, Net } from './net';
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

/** Whether the options make that convolution a RefConv. */
export function isRefConv(layer: ConvLayer, options: RefConvOptions | undefined): boolean {
  if (!options) return false;
  const [o, i, kh, kw] = layer.shape;
  if (Array.isArray(options.layers)) return options.layers.includes(layer.name);
  if (Math.max(kh, kw) === 1) return false;
  return options.layers === 'spatial' || (i === 1 && layer.groups > 1 && o >= layer.groups);
}

/** The geometry of a convolution's map: its kernel is odd and never exceeds the kernel that it refocuses. */
function refocusGeometry({ shape, groups }: ConvLayer, k: number): RefocusGeometry {
  const most = Math.min(k, shape[2], shape[3]);
  return { basis: shape, groups, mapKernel: most % 2 === 1 ? most : most - 1 };
}

/** The refocused weight W_t of a convolution, or nothing where the layer stays plain. */
export function refocusedWeight(net: Net, layer: ConvLayer): Tensor | undefined {
  const options = net.options.refconv;
  if (!options || !isRefConv(layer, options)) return undefined;
  const { name, shape, groups } = layer;
  const geometry = refocusGeometry(layer, options.mapKernel);
  const path = pathOf(geometry, options);
  layer.refconv = { path, geometry };
  const basisLayout = weightLayout(shape, groups);
  const role = options.trainBasis ? 'parameter' : 'constant';
  const basis = net.entry(`${name}.weight`, shape, basisLayout, 'kaiming-normal', role);
  const attrs = { groups, identity: options.identity };
  if (path === 'dense') {
    const map = mapShape(geometry);
    const w = net.entry(REFCONV.map(name), map, mapLayout(map, shape, groups), 'map');
    return refocusMap(net.graph, `${name} refocus`, basis, w, attrs);
  }
  const { mapGroups, taps } = planesOf(geometry);
  const gramShape = [mapGroups, taps, taps];
  const gram = net.graph.tensor(REFCONV.gram(name), gramShape, { role: 'constant' });
  const start = options.startsNonZero
    ? net.graph.tensor(REFCONV.start(name), basis.shape, { role: 'constant', padded: basis.padded })
    : undefined;
  const m = net.graph.tensor(REFCONV.factor(name), basis.shape, { role: 'parameter', padded: basis.padded });
  const scale =
    net.graph.find('parameter', REFCONV.scale) ??
    net.graph.tensor(REFCONV.scale, [1], { role: 'parameter', padded: vectorLayout([1]).padded });
  return refocusFactored(net.graph, `${name} refocus`, { basis, gram, scale, start, m }, attrs);
}

function pathOf(geometry: RefocusGeometry, { path, trainBasis }: RefConvOptions): 'dense' | 'factored' {
  if (trainBasis) return 'dense';
  const { taps, perGroup } = planesOf(geometry);
  return path === 'auto' ? chooseRefocusPath(taps, perGroup, geometry.mapKernel) : path;
}
