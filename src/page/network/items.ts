/** A network as a list of what a reader calls its layers: each with the norm and activation that follow it alone. */
import type { LayerCost } from '../../model/layer-costs';
import type { Layer, Model, StateEntry } from '../../model/model';

export interface Item {
  /** in order of execution, from 0 */
  index: number;
  /** PyTorch's name; layers without numbers have one made of their kind */
  name: string;
  /** the layers in it, the first gives it its name */
  layers: Layer[];
  /** items that it reads; -1: the image */
  inputs: number[];
  /** what it does, in words */
  kind: string;
  /** which colour it has */
  family: Family;
  /** of the output on one image: height, width, channels */
  shape: LayerCost['shape'];
  /** numbers that the state dict has of it, without running statistics and maps */
  parameters: number;
  multiplyAdds: number;
  /** PyTorch's keys of all its tensors */
  tensors: string[];
  /** the block that it is part of; empty: none */
  block: string;
}

export type Family =
  | 'convolution'
  | 'depthwise'
  | 'pointwise'
  | 'linear'
  | 'norm'
  | 'pool'
  | 'join'
  | 'other';

/** Layers that go with the one before them. */
const followers = new Set([
  'batch_norm',
  'layer_norm',
  'global_response_norm',
  'activation',
  'dropout',
  'stochastic_depth',
]);

/** @param costs by the value that a layer writes */
export function itemsOf(model: Model, costs: ReadonlyMap<number, LayerCost>): Item[] {
  const readers = new Map<number, number>();
  for (const { inputs } of model.layers) for (const id of inputs) readers.set(id, (readers.get(id) ?? 0) + 1);
  const items: Item[] = [];
  /** the item that writes a value */
  const writers = new Map([[0, -1]]);
  for (const layer of model.layers) {
    const last = items[items.length - 1];
    const previous = last?.layers[last.layers.length - 1];
    const follows =
      previous &&
      followers.has(layer.kind) &&
      layer.inputs.length === 1 &&
      layer.inputs[0] === previous.id &&
      readers.get(previous.id) === 1 &&
      // an activation of its own after a join stands with it, a norm begins anew
      (last.layers[0].kind === 'conv' || last.layers[0].kind === 'linear' || layer.kind !== 'batch_norm');
    if (follows) last.layers.push(layer);
    else items.push(itemOf(layer, items, writers));
    writers.set(layer.id, items.length - 1);
  }
  const entries = entriesByModule(model);
  for (const item of items) finish(item, entries, costs);
  return items;
}

function itemOf(layer: Layer, items: readonly Item[], writers: ReadonlyMap<number, number>): Item {
  const name = layer.name ?? (layer.kind === 'mul' ? layer.weight : undefined);
  const before = items[items.length - 1]?.block ?? '';
  return {
    index: items.length,
    name: name ?? words[layer.kind] ?? layer.kind,
    layers: [layer],
    inputs: [...new Set(layer.inputs.map((id) => writers.get(id)!))],
    kind: '',
    family: familyOf(layer),
    shape: [0, 0, 0],
    parameters: 0,
    multiplyAdds: 0,
    tensors: [],
    block: name === undefined ? before : blockOf(name),
  };
}

/** Entries of the state dict by the module that has them, and by their own name. */
function entriesByModule({ state }: Model): Map<string, StateEntry[]> {
  const entries = new Map<string, StateEntry[]>();
  for (const entry of state) {
    const { name } = entry;
    entries.set(name, [entry]);
    const module = name.slice(0, name.lastIndexOf('.'));
    entries.set(module, [...(entries.get(module) ?? []), entry]);
  }
  return entries;
}

function finish(
  item: Item,
  entries: ReadonlyMap<string, readonly StateEntry[]>,
  costs: ReadonlyMap<number, LayerCost>,
): void {
  const { layers } = item;
  item.shape = costs.get(layers[layers.length - 1].id)!.shape;
  item.kind = layers.map(kindOf).join(', ');
  for (const layer of layers) {
    item.multiplyAdds += costs.get(layer.id)!.multiplyAdds;
    const own = layer.kind === 'mul' ? layer.weight : layer.name;
    for (const { name, shape, role, init } of (own !== undefined && entries.get(own)) || []) {
      item.tensors.push(name);
      if (role !== 'state' && init !== 'map') item.parameters += shape.reduce((a, b) => a * b, 1);
    }
  }
}

/**
 * The block of a layer by its name: up to the first parts that end in a number, the last part left out, as `features.3` of
 * `features.3.conv.0.0` and `layer1.0` of `layer1.0.conv1`.
 */
export function blockOf(name: string): string {
  const parts = name.split('.').slice(0, -1);
  const isNumbered = (part: string) => /\d$/.test(part);
  const first = parts.findIndex(isNumbered);
  if (first < 0) return '';
  let end = first + 1;
  while (end < parts.length && isNumbered(parts[end])) end++;
  return parts.slice(0, end).join('.');
}

const activationNames: Record<string, string> = {
  relu: 'ReLU',
  relu6: 'ReLU6',
  silu: 'SiLU',
  gelu: 'GELU',
  hardswish: 'Hardswish',
  hardsigmoid: 'Hardsigmoid',
  sigmoid: 'sigmoid',
  gelu_tanh: 'GELU by tanh',
  elu: 'ELU',
  tanh: 'tanh',
  softplus: 'Softplus',
  mish: 'Mish',
  negative: 'negative part',
  rsqrt: 'reciprocal root',
};

const words: Partial<Record<Layer['kind'], string>> = {
  max_pool: 'max pooling',
  avg_pool: 'average pooling',
  global_avg_pool: 'global average pooling',
  adaptive_avg_pool: 'average pooling',
  add: 'addition',
  mul: 'product',
  concat: 'concatenation',
  replace: 'replacement of channels',
  slice: 'slice of channels',
  shuffle: 'shuffle of channels',
  depth_to_space: 'channels to pixels',
  space_to_depth: 'pixels to channels',
  subsample: 'every n-th pixel',
  dropout: 'dropout',
  stochastic_depth: 'stochastic depth',
  layer_norm: 'layer norm',
  global_response_norm: 'global response norm',
  linear: 'linear',
};

const by = ([a, b]: readonly number[]): string => `${a}×${b}`;

function kindOf(layer: Layer): string {
  switch (layer.kind) {
    case 'conv': {
      const [, i, kh, kw] = layer.shape;
      const grouped = layer.groups === 1 ? '' : i === 1 ? ' depthwise' : ` in ${layer.groups} groups`;
      const stride = Math.max(...layer.stride) > 1 ? `, stride ${layer.stride[0]}` : '';
      const dilation = Math.max(...layer.dilation) > 1 ? `, dilation ${layer.dilation[0]}` : '';
      return `convolution ${by([kh, kw])}${grouped}${stride}${dilation}`;
    }
    case 'batch_norm': {
      const after = activationNames[layer.activation];
      return after ? `batch norm, ${after}` : 'batch norm';
    }
    case 'activation':
      return activationNames[layer.activation] ?? layer.activation;
    case 'max_pool':
    case 'avg_pool':
      return `${words[layer.kind]} ${by(layer.kernel)}, stride ${layer.stride[0]}`;
    case 'adaptive_avg_pool':
      return `average pooling to ${by(layer.size)}`;
    case 'upsample':
      return `nearest upsampling by ${layer.scale}`;
    default:
      return words[layer.kind] ?? layer.kind;
  }
}

function familyOf(layer: Layer): Family {
  switch (layer.kind) {
    case 'conv': {
      const [, i, kh, kw] = layer.shape;
      if (Math.max(kh, kw) === 1) return 'pointwise';
      return i === 1 && layer.groups > 1 ? 'depthwise' : 'convolution';
    }
    case 'linear':
      return 'linear';
    case 'batch_norm':
    case 'layer_norm':
    case 'global_response_norm':
      return 'norm';
    case 'max_pool':
    case 'avg_pool':
    case 'global_avg_pool':
    case 'adaptive_avg_pool':
    case 'upsample':
    case 'subsample':
      return 'pool';
    case 'add':
    case 'mul':
    case 'concat':
    case 'replace':
      return 'join';
    default:
      return 'other';
  }
}
