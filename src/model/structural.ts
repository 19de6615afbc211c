/**
 * Structural re-parameterisation of a trained network: beside a convolution stand branches while it trains, and one convolution
 * is left in the end. Of ACNet (arXiv 1908.03930), RepVGG (2101.03697), diverse branch blocks (2103.13425) and OREPA's linear
 * stacks (2204.00826), under their publishers' names.
 */
import type { Block, Kernel, Step } from './fold';
import { foldBlock } from './fold';
import { type Layout, vectorLayout, weightLayout } from './layout';
import type { Branches, ConvLayer, Init, Layer, LayerKind, Model, Pair, StateEntry } from './model';

/** The parts of a branch in order. Convolutions are OIHW in the layer's groups; the last part starts at zero. */
type Part =
  | { conv: string; shape: Kernel['shape'] }
  | { average: number }
  | { norm: string }
  | { scale: string };

type BatchNorm = Extract<Layer, { kind: 'batch_norm' }>;

/** Where a layer's branches are in the state dict. */
export const branchPrefix = (conv: string): string => `${conv}.branches.`;

export type BranchedLayer = ConvLayer & { branches: Branches };

/** A model's convolutions with branches, in order. */
export const branchedLayers = ({ layers }: Model): BranchedLayer[] =>
  layers.filter((layer) => layer.kind === 'conv' && layer.branches) as BranchedLayer[];

/** Parts of the branches that a form puts beside a convolution. */
function branchesOf({ shape, groups, stride, branches: { form } }: BranchedLayer): Part[][] {
  const [o, i, kh, kw] = shape;
  const kernel = (...size: Pair): Kernel['shape'] => [o, i, ...size];
  const isOwnSize = o === i * groups && Math.max(...stride) === 1;
  // a depthwise 1 x 1 is a scale already: the publishers' blocks leave it out, and make the stack wider
  const isDepthwise = groups === o && groups > 1;
  const middle = isDepthwise ? 2 * groups : i * groups;
  const stack = (name: string, between: Part[], end: Part): Part[] => [
    { conv: `${name}.conv1`, shape: [middle, i, 1, 1] },
    ...between,
    { conv: `${name}.conv2`, shape: [o, middle / groups, kh, kw] },
    end,
  ];
  const size = Math.max(kh, kw);
  switch (form) {
    case 'acnet':
      return [
        [{ conv: 'ver_conv', shape: kernel(kh, 1) }, { norm: 'ver_bn' }],
        [{ conv: 'hor_conv', shape: kernel(1, kw) }, { norm: 'hor_bn' }],
      ];
    case 'repvgg':
      return [
        [{ conv: 'rbr_1x1.conv', shape: kernel(1, 1) }, { norm: 'rbr_1x1.bn' }],
        ...(isOwnSize ? [[{ norm: 'rbr_identity' }]] : []),
      ];
    case 'dbb': {
      const first: Part[] = [{ conv: 'dbb_avg.conv', shape: kernel(1, 1) }, { norm: 'dbb_avg.bn.bn' }];
      const between: Part[] = [{ norm: 'dbb_1x1_kxk.bn1.bn' }];
      return [
        ...(isDepthwise
          ? []
          : [[{ conv: 'dbb_1x1.conv', shape: kernel(1, 1) }, { norm: 'dbb_1x1.bn' }] as Part[]]),
        [...(isDepthwise ? [] : first), { average: size }, { norm: 'dbb_avg.avgbn' }],
        stack('dbb_1x1_kxk', between, { norm: 'dbb_1x1_kxk.bn2' }),
      ];
    }
    case 'orepa': {
      const first: Part[] = [{ conv: 'orepa_avg.conv', shape: kernel(1, 1) }];
      return [
        [{ conv: 'orepa_1x1.conv', shape: kernel(1, 1) }, { scale: 'orepa_1x1.scale' }],
        [...(isDepthwise ? [] : first), { average: size }, { scale: 'orepa_avg.scale' }],
        stack('orepa_1x1_kxk', [], { scale: 'orepa_1x1_kxk.scale' }),
      ];
    }
  }
}

/** Of OREPA's linear stack: the scale of the convolution itself, 1 at the start. */
const OWN_SCALE = 'orepa_origin.scale';

/** torch.nn.BatchNorm2d's defaults, which a convolution without a batch norm gives its branches. */
const NORM = { eps: 1e-5, momentum: 0.1 };

/**
 * Why branches cannot stand beside a convolution; undefined where they can. What they sum to must be one kernel of its size, in a
 * network of the same tensors: a batch norm or a bias has to take up what the branches' norms shift.
 */
export function branchObstacle(model: Model, conv: ConvLayer, form: Branches['form']): string | undefined {
  const { shape, padding, dilation, bias } = conv;
  const [, , kh, kw] = shape;
  if (Math.max(kh, kw) === 1) return 'its kernel has one tap';
  if (kh % 2 === 0 || kw % 2 === 0) return `its kernel of ${kh} x ${kw} has no middle`;
  if (kh !== kw && (form === 'dbb' || form === 'orepa')) return `its kernel of ${kh} x ${kw} is no square`;
  if (kh !== kw && form === 'acnet') return `its kernel of ${kh} x ${kw} is a row or a column already`;
  if (padding[0] !== kh >> 1 || padding[1] !== kw >> 1) return 'its padding is not half its kernel';
  if (Math.max(...dilation) > 1) return 'it is dilated';
  if (form !== 'orepa' && !bias && !normBehind(model, conv))
    return 'it has neither a bias nor a batch norm behind it';
  return undefined;
}

/** The batch norm that alone reads a convolution. */
function normBehind({ layers, features, logits }: Model, conv: ConvLayer): BatchNorm | undefined {
  const { id } = conv as ConvLayer & Layer;
  const readers = layers.filter(({ inputs }) => inputs.includes(id));
  const [reader] = readers;
  if (readers.length !== 1 || id === features || id === logits) return undefined;
  return reader.kind === 'batch_norm' ? reader : undefined;
}

/**
 * The model with branches beside these convolutions. A convolution and the batch norm behind it become the first branch, as they
 * were loaded; the others begin with random kernels and end with a batch norm (OREPA: a scale) whose weights start at zero.
 * So the network's first function is that of the loaded one, in training as in evaluation.
 * @param names of convolutions without a `branchObstacle`
 */
export function withBranches(model: Model, names: ReadonlySet<string>, form: Branches['form']): Model {
  let next = Math.max(...model.layers.map(({ id }) => id)) + 1;
  const fresh = () => next++;
  const entries = new Map<string, StateEntry[]>();
  const replaced = new Map<number, Layer[]>();
  for (const layer of model.layers) {
    if (layer.kind !== 'conv' || !names.has(layer.name)) continue;
    const norm = form === 'orepa' ? undefined : normBehind(model, layer);
    const branches: Branches = { form, ...(norm && { norm: { name: norm.name, eps: norm.eps } }) };
    const branched: BranchedLayer & Layer = { ...layer, branches };
    entries.set(`${layer.name}.weight`, entriesOf(branched));
    const sum = new Sum(branched, norm ?? NORM, fresh);
    if (norm) {
      replaced.set(layer.id, [branched]);
      const own: BatchNorm = { ...norm, id: fresh(), activation: 'none' };
      replaced.set(norm.id, [own, ...sum.layers(own.id, norm)]);
    } else {
      const own = { ...branched, id: fresh() };
      replaced.set(layer.id, [own, ...sum.layers(own.id, { id: layer.id, activation: 'none' })]);
    }
  }
  const layers = model.layers.flatMap((layer) => replaced.get(layer.id) ?? [layer]);
  const state = model.state.flatMap((entry) => [entry, ...(entries.get(entry.name) ?? [])]);
  return { ...model, layers, state };
}

/** The layers of a convolution's branches and of their sum. */
class Sum {
  constructor(
    private readonly conv: BranchedLayer & Layer,
    private readonly norm: { eps: number; momentum: number },
    private readonly fresh: () => number,
  ) {}

  /** @param own the value of the first branch @param end the value that the sum is, and the activation behind it */
  layers(own: number, { id, activation }: Pick<BatchNorm, 'id' | 'activation'>): Layer[] {
    const { conv, fresh } = this;
    const layers: Layer[] = [];
    const add = (kind: LayerKind, ...inputs: number[]): number => {
      layers.push({ ...kind, id: fresh(), inputs });
      return layers.at(-1)!.id;
    };
    let total = own;
    if (conv.branches.form === 'orepa')
      total = add({ kind: 'mul', weight: branchPrefix(conv.name) + OWN_SCALE }, own);
    for (const parts of branchesOf(conv)) {
      let value = conv.inputs[0];
      for (const kind of this.kinds(parts)) value = add(kind, value);
      total = add({ kind: 'add' }, total, value);
    }
    if (activation !== 'none') add({ kind: 'activation', activation }, total);
    layers.at(-1)!.id = id;
    return layers;
  }

  /**
   * A branch's layers. The first is padded with what the branch's kernels take away, the others are not: so a batch norm between
   * two kernels shifts the border as well, and the branch is one convolution of a padded image.
   */
  private kinds(parts: readonly Part[]): LayerKind[] {
    const { name, stride, groups } = this.conv;
    const at = (part: string) => branchPrefix(name) + part;
    const windows = parts.map(windowOf);
    const last = windows.map((size) => size !== undefined).lastIndexOf(true);
    const padding: Pair = [0, 1].map((d) => Math.max(...windows.map((w) => w?.[d] ?? 1)) >> 1) as Pair;
    return parts.map((part, j): LayerKind => {
      const space = { stride: j === last ? stride : ONE, padding: j === 0 ? padding : ZERO };
      if ('conv' in part)
        return {
          ...{ kind: 'conv', name: at(part.conv), shape: [...part.shape] },
          ...{ ...space, dilation: ONE, groups, bias: false },
        };
      if ('average' in part) {
        const kernel: Pair = [part.average, part.average];
        return { kind: 'avg_pool', kernel, ...space, ceilMode: false, countIncludePad: true };
      }
      if ('scale' in part) return { kind: 'mul', weight: at(part.scale) };
      const { eps, momentum } = this.norm;
      return { kind: 'batch_norm', name: at(part.norm), eps, momentum, activation: 'none' };
    });
  }
}

const ONE: Pair = [1, 1];
const ZERO: Pair = [0, 0];

function windowOf(part: Part): Pair | undefined {
  if ('conv' in part) return [part.shape[2], part.shape[3]];
  return 'average' in part ? [part.average, part.average] : undefined;
}

/** The entries that a layer's branches add to the state dict. */
function entriesOf(conv: BranchedLayer): StateEntry[] {
  const { name, groups, shape, branches } = conv;
  const entry = (part: string, of: number[], layout: Layout, init: Init, role: StateEntry['role']) => ({
    ...{ name: branchPrefix(name) + part, shape: of, layout, init, role },
  });
  const vector = (part: string, channels: number, init: Init, role: StateEntry['role'] = 'parameter') =>
    entry(part, [channels], vectorLayout([channels]), init, role);
  const all: StateEntry[] = branches.form === 'orepa' ? [vector(OWN_SCALE, shape[0], 'ones')] : [];
  for (const parts of branchesOf(conv)) {
    let channels = shape[1] * groups;
    parts.forEach((part, j) => {
      const start = j === parts.length - 1 ? 'zeros' : 'ones';
      if ('conv' in part) {
        channels = part.shape[0];
        const layout = weightLayout(part.shape, groups);
        all.push(entry(`${part.conv}.weight`, [...part.shape], layout, 'kaiming-normal', 'parameter'));
      } else if ('scale' in part) all.push(vector(part.scale, channels, start));
      else if ('norm' in part)
        all.push(
          vector(`${part.norm}.weight`, channels, start),
          vector(`${part.norm}.bias`, channels, 'zeros'),
          vector(`${part.norm}.running_mean`, channels, 'zeros', 'state'),
          vector(`${part.norm}.running_var`, channels, 'ones', 'state'),
        );
    });
  }
  return all;
}

/** A tensor of the state dict by its name, in PyTorch's order. */
type Read = (name: string) => ArrayLike<number>;

/** What a convolution with its branches is, as a sum of linear steps on the image. */
export function blockOf(conv: BranchedLayer, read: Read): Block {
  const { name, shape, groups, bias, branches } = conv;
  const prefix = branchPrefix(name);
  const scale = (of: string): Step => affine(Float64Array.from(read(of)), (_) => 0);
  const norm = (of: string, eps: number): Step => {
    const [weight, shift, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map((part) =>
      read(`${of}.${part}`),
    );
    const scales = Float64Array.from(weight, (w, c) => w / Math.sqrt(variance[c] + eps));
    return affine(scales, (c) => shift[c] - mean[c] * scales[c]);
  };
  const kernel = (of: string, size: Kernel['shape']): Step => ({
    kernel: { shape: size, data: Float64Array.from(read(`${of}.weight`)) },
  });
  const own: Step[] = [kernel(name, shape)];
  if (bias) {
    const shift = read(`${name}.bias`);
    own.push(affine(new Float64Array(shape[0]).fill(1), (c) => shift[c]));
  }
  if (branches.norm) own.push(norm(branches.norm.name, branches.norm.eps));
  if (branches.form === 'orepa') own.push(scale(prefix + OWN_SCALE));
  const eps = branches.norm?.eps ?? NORM.eps;
  const others = branchesOf(conv).map((parts): Step[] => {
    const steps = parts.map((part): Step => {
      if ('conv' in part) return kernel(prefix + part.conv, part.shape);
      if ('average' in part) return part;
      return 'scale' in part ? scale(prefix + part.scale) : norm(prefix + part.norm, eps);
    });
    return 'conv' in parts[0] ? steps : [{ kernel: identity(shape[0], shape[1]) }, ...steps];
  });
  return { name: `${name}.`, deployed: name, groups, branches: [own, ...others], tensors: [] };
}

const affine = (scale: Float64Array, shift: (channel: number) => number): Step => ({
  scale,
  shift: Float64Array.from(scale, (_, c) => shift(c)),
});

/** A kernel that gives each channel its own. */
function identity(channels: number, perGroup: number): Kernel {
  const data = new Float64Array(channels * perGroup);
  for (let o = 0; o < channels; o++) data[o * perGroup + (o % perGroup)] = 1;
  return { shape: [channels, perGroup, 1, 1], data };
}

/** A scale of a batch norm below this share of its largest takes no kernel's place: dividing by it would only lift rounding. */
const DEAD = 1e-3;

/**
 * What the plain network's tensors are, by their names: the kernel, and what takes up the shifts. Behind a batch norm the kernel is
 * the sum's over that norm's scale, so that norm and statistics stay as they were trained; where that scale is next to nothing
 * the norm becomes the identity and a shift.
 */
export function mergedBranches(conv: BranchedLayer, read: Read): Map<string, Float64Array> {
  const { name, bias, branches } = conv;
  const folded = foldBlock(blockOf(conv, read));
  const { data } = folded.kernel;
  const merged = new Map([[`${name}.weight`, data]]);
  if (!branches.norm) {
    if (bias) merged.set(`${name}.bias`, folded.bias);
    return merged;
  }
  const { name: norm, eps } = branches.norm;
  const weight = Float64Array.from(read(`${norm}.weight`));
  const [mean, variance] = [read(`${norm}.running_mean`), read(`${norm}.running_var`)];
  const scales = weight.map((w, c) => w / Math.sqrt(variance[c] + eps));
  const least = DEAD * scales.reduce((most, s) => Math.max(most, Math.abs(s)), 0);
  scales.forEach((scale, c) => {
    if (Math.abs(scale) > least) return;
    scales[c] = 1;
    weight[c] = Math.sqrt(variance[c] + eps);
  });
  const taps = data.length / scales.length;
  merged.set(
    `${name}.weight`,
    data.map((v, at) => v / scales[Math.floor(at / taps)]),
  );
  // a bias of the convolution before the norm stays; the rest goes behind it
  const before = bias ? read(`${name}.bias`) : undefined;
  merged.set(`${norm}.weight`, weight);
  merged.set(
    `${norm}.bias`,
    folded.bias.map((b, c) => b + (mean[c] - (before?.[c] ?? 0)) * scales[c]),
  );
  return merged;
}
