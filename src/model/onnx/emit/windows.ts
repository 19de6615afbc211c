/** Convolutions, pools and linear layers as ONNX's operators. */
import { UserError } from '../../../errors';
import type { ConvLayer, Layer, LinearLayer } from '../../model';
import type { GraphWriter, Value } from './writer';

/** A layer in the graph: the name of its nodes, what it reads, and what comes out of it. */
export interface Place {
  name: string;
  x: Value;
  shape: Value['shape'];
}

export function conv(w: GraphWriter, layer: ConvLayer, { name, x, shape }: Place): Value {
  const { stride, padding, paddingEnd = padding, dilation, groups, bias } = layer;
  const parameters = [w.tensor(`${name}.weight`), ...(bias ? [w.tensor(`${name}.bias`)] : [])];
  const made = w.node('Conv', name, [x.name, ...parameters], {
    dilations: dilation,
    group: groups,
    kernel_shape: layer.shape.slice(2),
    pads: [...padding, ...paddingEnd],
    strides: stride,
  });
  return { name: made, shape };
}

export function pool(
  w: GraphWriter,
  layer: Extract<Layer, { kind: 'max_pool' | 'avg_pool' }>,
  { name, x, shape }: Place,
): Value {
  const { kernel, stride, padding, paddingEnd = padding, ceilMode } = layer;
  const attributes = {
    kernel_shape: kernel,
    strides: stride,
    pads: [...padding, ...paddingEnd],
    ceil_mode: Number(ceilMode),
  };
  if (layer.kind === 'max_pool') return { name: w.node('MaxPool', name, [x.name], attributes), shape };
  const counted = { ...attributes, count_include_pad: Number(layer.countIncludePad) };
  return { name: w.node('AveragePool', name, [x.name], counted), shape };
}

/**
 * To so many rows and columns, which ONNX has for sizes alone that they divide, or that divide them.
 * @throws UserError of others
 */
export function adaptivePool(
  w: GraphWriter,
  { size: [rows, columns] }: Pick<Extract<Layer, { kind: 'adaptive_avg_pool' }>, 'size'>,
  { name, x }: Place,
): Value {
  const [c, h, width] = x.shape;
  if (h === rows && width === columns) return x;
  if (rows % h === 0 && columns % width === 0) {
    const scales = w.numbers(`${name}.scales`, [1, 1, rows / h, columns / width], [4]);
    const how = { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' };
    return { name: w.node('Resize', name, [x.name, '', scales], how), shape: [c, rows, columns] };
  }
  if (h % rows !== 0 || width % columns !== 0)
    throw new UserError(
      `The network pools ${h} x ${width} to ${rows} x ${columns}, which an ONNX file cannot say: choose a size that is a multiple (--size).`,
    );
  const kernel = [h / rows, width / columns];
  const made = w.node('AveragePool', name, [x.name], { kernel_shape: kernel, strides: kernel });
  return { name: made, shape: [c, rows, columns] };
}

/** Of single pixels and of flattened images as PyTorch's Linear, of each pixel of an image as a convolution of 1 x 1. */
export function linear(w: GraphWriter, { shape: [out, c], pixels }: LinearLayer, { name, x }: Place): Value {
  const size: Value['shape'] = pixels ? [out, 1, 1] : [out, x.shape[1], x.shape[2]];
  const bias = w.tensor(`${name}.bias`);
  if (pixels || (x.shape[1] === 1 && x.shape[2] === 1)) {
    const inputs = [w.row(x).name, w.tensor(`${name}.weight`), bias];
    return { name: w.node('Gemm', name, inputs, { transB: 1 }), shape: size, isRow: true };
  }
  const inputs = [x.name, w.tensor(`${name}.weight`, [out, c, 1, 1]), bias];
  return { name: w.node('Conv', name, inputs, { kernel_shape: [1, 1] }), shape: size };
}
