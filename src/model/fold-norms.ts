import { floats, type StateDict } from '../io/tensor';
import { vectorLayout } from './layout';
import type { BatchNormLayer, Layer, Model, StateEntry } from './model';
import { numbersOf } from './state';

/**
 * A plain network with each batch norm that alone reads a convolution folded into it: y = (W s) * x + (b - m) s + beta with
 * s = gamma / sqrt(var + eps), in float64. It is the same function in evaluation; a norm's activation stays as a layer.
 * @param isMeant which norms; default: all
 */
export function foldNorms(
  model: Model,
  state: StateDict,
  isMeant: (norm: BatchNormLayer) => boolean = () => true,
): { model: Model; state: StateDict } {
  const readers = new Map<number, number>();
  for (const { inputs } of model.layers) for (const id of inputs) readers.set(id, (readers.get(id) ?? 0) + 1);
  const makers = new Map(model.layers.map((layer) => [layer.id, layer]));
  const folded: StateDict = new Map(state);
  const gone = new Set<string>();
  const biased = new Set<string>();
  const layers = model.layers.map((layer): Layer => {
    if (layer.kind !== 'batch_norm' || !isMeant(layer)) return layer;
    const conv = makers.get(layer.inputs[0]);
    if (conv?.kind !== 'conv' || readers.get(conv.id) !== 1) return layer;
    const { name, eps, activation, id, inputs } = layer;
    const [weight, bias, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map((leaf) =>
      numbersOf(state.get(`${name}.${leaf}`)!),
    );
    for (const leaf of ['weight', 'bias', 'running_mean', 'running_var']) gone.add(`${name}.${leaf}`);
    biased.add(conv.name);
    const scale = Array.from(weight, (gamma, c) => gamma / Math.sqrt(variance[c] + eps));
    const kernel = state.get(`${conv.name}.weight`)!;
    const numbers = numbersOf(kernel);
    const taps = numbers.length / kernel.shape[0];
    const own = conv.bias ? numbersOf(state.get(`${conv.name}.bias`)!) : undefined;
    folded.set(
      `${conv.name}.weight`,
      floats(
        kernel.shape,
        Array.from(numbers, (w, i) => w * scale[Math.floor(i / taps)]),
      ),
    );
    folded.set(
      `${conv.name}.bias`,
      floats(
        [kernel.shape[0]],
        scale.map((s, c) => ((own?.[c] ?? 0) - mean[c]) * s + bias[c]),
      ),
    );
    return { kind: 'activation', activation, id, inputs, name };
  });
  for (const name of gone) folded.delete(name);
  const entries = model.state.flatMap((entry): StateEntry[] => {
    if (gone.has(entry.name)) return [];
    const conv = /^(.*)\.weight$/.exec(entry.name)?.[1] ?? '';
    if (!biased.has(conv) || model.state.some(({ name }) => name === `${conv}.bias`)) return [entry];
    const shape = [entry.shape[0]];
    return [
      entry,
      { name: `${conv}.bias`, shape, layout: vectorLayout(shape), role: 'parameter', init: 'zeros' },
    ];
  });
  const withBias = layers.map((layer) =>
    layer.kind === 'conv' && biased.has(layer.name) ? { ...layer, bias: true } : layer,
  );
  return { model: { ...model, layers: withBias, state: entries }, state: folded };
}
