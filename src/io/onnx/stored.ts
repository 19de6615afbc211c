import type { OnnxGraph, OnnxTensor } from './graph';

/** Initializers and outputs of Constants, where some exporters keep all weights, by name. */
export function storedTensors({
  initializers,
  nodes,
}: Pick<OnnxGraph, 'initializers' | 'nodes'>): ReadonlyMap<string, OnnxTensor> {
  const stored = new Map(initializers);
  for (const { op, outputs, attributes } of nodes) {
    const value = op === 'Constant' ? attributes.get('value') : undefined;
    if (typeof value === 'object' && 'dtype' in value) stored.set(outputs[0], value);
  }
  return stored;
}
