/**
 * Batch norms that a network has only while it trains. Of a deployed network they were folded into the convolutions; with fresh
 * ones it trains as it once did, and these are folded in turn.
 */

import type { StateDict } from '../io/tensor';
import { keepsZero } from '../ops/activation';
import { vectorLayout } from './layout';
import {
  type BatchNormLayer,
  type ConvLayer,
  convolutions,
  type Layer,
  type Model,
  type StateEntry,
} from './model';

/** torch.nn.BatchNorm2d's. */
const EPS = 1e-5;
const MOMENTUM = 0.1;

/** The state-dict name of a convolution's added norm. */
const normOf = (conv: string): string => `${conv}.norm`;

/** The convolution that an added norm is of. */
export const convOf = (norm: string): string => norm.slice(0, -normOf('').length);

export const addedNorms = ({ layers }: Model): BatchNormLayer[] =>
  layers.filter(
    (layer): layer is BatchNormLayer & Layer => layer.kind === 'batch_norm' && layer.added === true,
  );

/** A plain network's state without the biases that added norms stand in the place of. */
export function withoutBiases(state: StateDict, model: Model): StateDict {
  const gone = new Set(addedNorms(model).map(({ name }) => `${convOf(name)}.bias`));
  return new Map([...state].filter(([name]) => !gone.has(name)));
}

/** Names of entries that added norms have in a state dict. */
export const addedEntries = (model: Model): ReadonlySet<string> =>
  new Set(
    addedNorms(model).flatMap(({ name }) =>
      ['weight', 'bias', 'running_mean', 'running_var'].map((leaf) => `${name}.${leaf}`),
    ),
  );

/**
 * The convolutions that a batch norm may have been folded into: those with a bias over images of more than one pixel which no
 * norm follows. Squeeze-and-excite's work on means, the head tells the classes apart; neither ever had one, and neither had a
 * network with norms of another kind.
 */
export function bareConvolutions(model: Model): ConvLayer[] {
  const { layers, head, state } = model;
  if (layers.some(isOtherNorm)) return [];
  const means = new Set<number>();
  for (const layer of layers) {
    const { kind, id, inputs } = layer;
    const isMean =
      kind === 'global_avg_pool' || (kind === 'adaptive_avg_pool' && layer.size.join() === '1,1');
    if (isMean || inputs.every((input) => means.has(input))) means.add(id);
  }
  const normed = new Set(layers.flatMap(({ kind, inputs }) => (kind === 'batch_norm' ? inputs : [])));
  const trains = new Set(state.filter(({ role }) => role === 'parameter').map(({ name }) => name));
  return convolutions(model).filter(
    ({ id, name, bias }) =>
      bias && name !== head.name && !means.has(id) && !normed.has(id) && trains.has(`${name}.weight`),
  );
}

/** Layer norm, or the root that group norms are put together with. */
const isOtherNorm = (layer: Layer): boolean =>
  layer.kind === 'layer_norm' || (layer.kind === 'activation' && layer.activation === 'rsqrt');

/** A model with a batch norm behind each bare convolution, in the place of its bias; it takes in the activation that follows. */
export function withAddedNorms(model: Model): Model {
  const bare = new Set(bareConvolutions(model).map(({ name }) => name));
  const readers = new Map<number, Layer[]>();
  for (const layer of model.layers)
    for (const id of new Set(layer.inputs)) readers.set(id, [...(readers.get(id) ?? []), layer]);
  let fresh = Math.max(...model.layers.map(({ id }) => id));
  const gone = new Set<Layer>();
  const layers = model.layers.flatMap((layer): Layer[] => {
    if (gone.has(layer)) return [];
    if (layer.kind !== 'conv' || !bare.has(layer.name)) return [layer];
    const [next, ...others] = readers.get(layer.id) ?? [];
    const act =
      others.length === 0 && next?.kind === 'activation' && keepsZero(next.activation) ? next : undefined;
    if (act) gone.add(act);
    // whoever read the convolution or the activation reads the norm
    const id = act ? layer.id : ++fresh;
    const norm = normLayer(layer.name, act ? act.activation : 'none');
    return [
      { ...layer, id, bias: false },
      { ...norm, id: act?.id ?? layer.id, inputs: [id] },
    ];
  });
  const state = model.state.flatMap((entry): StateEntry[] => {
    const [, conv, leaf] = /^(.*)\.(weight|bias)$/.exec(entry.name) ?? [];
    if (!bare.has(conv)) return [entry];
    return leaf === 'bias' ? [] : [entry, ...normEntries(normOf(conv), entry.shape[0])];
  });
  return { ...model, layers, state };
}

/** A model none of whose numbers change, with a norm that nothing reads at each bare convolution: its running statistics are the last batch's. */
export function withProbes(model: Model): Model {
  const bare = bareConvolutions(model);
  const first = Math.max(...model.layers.map(({ id }) => id)) + 1;
  const probes = bare.map((conv, i): Layer => {
    const { id } = model.layers.find((layer) => layer.name === conv.name)!;
    return { ...normLayer(conv.name, 'none'), momentum: 1, id: first + i, inputs: [id] };
  });
  const held = model.state.map(
    (entry): StateEntry => (entry.role === 'parameter' ? { ...entry, role: 'constant' } : entry),
  );
  const entries = bare.flatMap(({ name, shape }) => normEntries(normOf(name), shape[0]));
  return { ...model, layers: [...model.layers, ...probes], state: [...held, ...entries] };
}

const normLayer = (conv: string, activation: BatchNormLayer['activation']): BatchNormLayer => ({
  kind: 'batch_norm',
  name: normOf(conv),
  eps: EPS,
  momentum: MOMENTUM,
  activation,
  added: true,
});

function normEntries(name: string, channels: number): StateEntry[] {
  const shape = [channels];
  const entry = (leaf: string, init: 'ones' | 'zeros', role: StateEntry['role']): StateEntry => ({
    name: `${name}.${leaf}`,
    shape,
    layout: vectorLayout(shape),
    role,
    init,
  });
  return [
    entry('weight', 'ones', 'parameter'),
    entry('bias', 'zeros', 'parameter'),
    entry('running_mean', 'zeros', 'state'),
    entry('running_var', 'ones', 'state'),
  ];
}
