/** Normalisations as ONNX's operators. */
import type { BatchNormLayer, Layer } from '../../model';
import { activation } from './activations';
import type { Place } from './windows';
import type { GraphWriter, Value } from './writer';

export function batchNorm(w: GraphWriter, layer: BatchNormLayer, { name, x, shape }: Place): Value {
  const leaves = ['weight', 'bias', 'running_mean', 'running_var'];
  const parameters = leaves.map((leaf) => w.tensor(`${name}.${leaf}`));
  const attributes = { epsilon: layer.eps, momentum: 1 - layer.momentum };
  const made = w.node('BatchNormalization', name, [x.name, ...parameters], attributes);
  return { name: activation(w, layer.activation, `${name}.act`, made), shape };
}

/** Over the channels, which lie last for it. */
export function layerNorm(
  w: GraphWriter,
  { eps }: Extract<Layer, { kind: 'layer_norm' }>,
  { name, x, shape }: Place,
): Value {
  const parameters = ['weight', 'bias'].map((leaf) => w.tensor(`${name}.${leaf}`));
  const attributes = { axis: -1, epsilon: eps };
  if (shape[1] === 1 && shape[2] === 1) {
    const row = w.row(x);
    return { ...row, name: w.node('LayerNormalization', name, [row.name, ...parameters], attributes) };
  }
  const last = w.node('Transpose', `${name}.channels_last`, [x.name], { perm: [0, 2, 3, 1] });
  const made = w.node('LayerNormalization', name, [last, ...parameters], attributes);
  return { name: w.node('Transpose', `${name}.channels_first`, [made], { perm: [0, 3, 1, 2] }), shape };
}

export function responseNorm(
  w: GraphWriter,
  { eps }: Extract<Layer, { kind: 'global_response_norm' }>,
  { name, x, shape }: Place,
): Value {
  const [weight, bias] = ['weight', 'bias'].map((leaf) => w.tensor(`${name}.${leaf}`, [shape[0], 1, 1]));
  const norm = w.node('ReduceL2', `${name}.norm`, [x.name], { axes: [2, 3], keepdims: 1 });
  const mean = w.node('ReduceMean', `${name}.mean`, [norm], { axes: [1], keepdims: 1 });
  const divisor = w.node('Add', `${name}.divisor`, [mean, w.numbers(`${name}.eps`, [eps])]);
  const ratio = w.node('Div', `${name}.ratio`, [norm, divisor]);
  const scaled = w.node('Mul', `${name}.scaled`, [x.name, ratio]);
  const weighted = w.node('Mul', `${name}.weighted`, [scaled, weight]);
  const shifted = w.node('Add', `${name}.shifted`, [weighted, bias]);
  return { name: w.node('Add', name, [x.name, shifted]), shape };
}
