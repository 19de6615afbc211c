/**
 * Structural re-parameterisation of a trained network: beside a convolution stand branches while it trains, and one convolution
 * is left in the end. Of ACNet (arXiv 1908.03930), RepVGG (2101.03697), diverse branch blocks (2103.13425) and OREPA's linear
 * stacks (2204.00826), under their publishers' names.
 */
import { type BranchedLayer, branchesOf, branchPrefix, NORM, OWN_SCALE, type Part } from './branch-forms';
import { type Layout, vectorLayout, weightLayout } from './layout';
import type { Branches, ConvLayer, Init, Layer, LayerKind, Model, Pair, StateEntry } from './model';

type BatchNorm = Extract<Layer, { kind: 'batch_norm' }>;

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
    const branches: Branches = {
      form,
      ...(norm ? { norm: { name: norm.name, eps: norm.eps } } : { sum: layer.id }),
    };
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

/** The layers with each convolution in the place of the sum that it is part of, for who looks for what reads it. */
export function withoutSums(layers: readonly Layer[]): Layer[] {
  const sums = new Set(layers.map((layer) => (layer.kind === 'conv' ? layer.branches?.sum : undefined)));
  return layers.flatMap((layer) => {
    if (layer.kind === 'conv' && layer.branches?.sum !== undefined)
      return [{ ...layer, id: layer.branches.sum }];
    return sums.has(layer.id) ? [] : [layer];
  });
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
