import { createHash } from 'node:crypto';
import type { Layer, Model } from '../src/model/model';

/**
 * Every layer once, with what it reads, in whatever order, without names: each number stands for a text before it. Dropout is
 * gone in an exported network, sums of two are written either way round, and a linear layer over pixels is a convolution.
 */
export function signature({ layers }: Model): string[] {
  const place = new Map([[0, 0]]);
  const texts = new Set<string>();
  for (const layer of layers) {
    const inputs = layer.inputs.map((id) => place.get(id)!);
    if (layer.kind === 'dropout' || layer.kind === 'stochastic_depth') {
      place.set(layer.id, inputs[0]);
      continue;
    }
    if (layer.kind === 'add') inputs.sort((a, b) => a - b);
    const text = JSON.stringify([
      inputs,
      ...Object.entries(workOf(layer)).sort(([a], [b]) => (a < b ? -1 : 1)),
    ]);
    texts.add(text);
    place.set(layer.id, createHash('sha256').update(text).digest().readUInt32LE());
  }
  return [...texts].sort();
}

function workOf({ id: _, name: __, inputs: ___, ...layer }: Layer): object {
  if (layer.kind === 'mul')
    return { kind: 'mul', weight: layer.weight !== undefined, factor: Math.fround(layer.factor ?? 1) };
  if (layer.kind !== 'linear') return layer;
  const whole = { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1, bias: true };
  return { kind: 'conv', ...whole, shape: [...layer.shape, 1, 1] };
}
