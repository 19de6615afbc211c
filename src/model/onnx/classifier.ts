/** Where a graph tells classes apart. */
import { UserError } from '../../errors';
import { quote } from '../../io/format-error';
import type { OnnxGraph } from '../../io/onnx/graph';
import type { Builder, Value } from '../builder';
import type { Model } from '../model';
import type { Held } from './importer';

/** @throws UserError where what comes out is no row of one number a class */
export function logitsOf({ file }: OnnxGraph, output: string, end: Held | undefined): Value {
  const isRow = end?.kind === 'value' && end.extents.h === 1 && end.extents.w === 1 && !end.pad && !end.step;
  if (!isRow)
    throw new UserError(
      `${file}: its output ${quote(output)} is no row of one number a class, so that it is no classifier: export one.`,
    );
  return end.value;
}

/** A model without layers that lead nowhere, as those of a split of which one part is taken up otherwise. */
export function withoutUnread(model: Model): Model {
  const read = new Set([model.logits]);
  const layers = [...model.layers].reverse().filter(({ id, inputs }) => {
    if (read.has(id)) for (const input of inputs) read.add(input);
    return read.has(id);
  });
  return { ...model, layers: layers.reverse() };
}

/** The layer that makes the logits: nothing but pooling, activations and dropout comes behind it. */
export function headOf(net: Builder, logits: Value): string | undefined {
  let value = logits;
  for (let layer = net.maker(value); layer; layer = net.maker(value)) {
    if (layer.kind === 'conv' || layer.kind === 'linear') return layer.name;
    const isPassed =
      layer.kind === 'global_avg_pool' ||
      layer.kind === 'avg_pool' ||
      layer.kind === 'dropout' ||
      (layer.kind === 'activation' && layer.activation === 'relu');
    if (!isPassed) return undefined;
    value = { id: layer.inputs[0], channels: logits.channels };
  }
  return undefined;
}
