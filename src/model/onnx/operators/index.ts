/** What each operator of ONNX is among our layers. */
import { numbers } from '../constant';
import { place } from '../fold';
import { numberOf } from '../node';
import { shapeOf } from '../view';
import {
  add,
  divide,
  maximum,
  minimum,
  multiply,
  pointwise,
  power,
  prelu,
  subtract,
  sum,
} from './arithmetic';
import { concat, expand, gather, pad, slice, split, tile } from './channels';
import type { Operator } from './common';
import { groupNormalization, instanceNormalization } from './group-norms';
import { batchNorm, layerNorm, responseNorm } from './norms';
import { gemm, matmul } from './products';
import { reduceMax, reduceMean, reduceSum } from './reductions';
import { resize } from './resize';
import {
  alias,
  depthToSpace,
  flatten,
  logarithm,
  reshape,
  shapeValue,
  softmax,
  spaceToDepth,
  squeeze,
  transposeView,
  unsqueeze,
} from './views';
import { averagePool, conv, globalMaxPool, globalPool, maxPool } from './windows';

export const OPERATORS: Record<string, Operator> = {
  Conv: conv,
  Gemm: gemm,
  MatMul: matmul,
  BatchNormalization: batchNorm,
  LayerNormalization: (net, step, [x, w, b]) => {
    const rank = x?.kind === 'value' ? x.view.length : 4;
    const first = place(numberOf(step, 'axis', -1), rank);
    const axes = Array.from({ length: rank - first }, (_, i) => first + i);
    return layerNorm(net, step, x, axes, [
      [1, w],
      [2, b],
    ]);
  },
  GroupNormalization: groupNormalization,
  InstanceNormalization: instanceNormalization,
  NormOverAxes: (net, step, [x, axes, w, b]) =>
    layerNorm(net, step, x, Array.from(net.constant(step, axes, 'axes').data), [
      [2, w],
      [3, b],
    ]),
  ResponseNorm: responseNorm,
  Pointwise: pointwise,
  PRelu: prelu,
  Add: add,
  Sub: subtract,
  Sum: sum,
  Mul: multiply,
  Div: divide,
  Max: maximum,
  Min: minimum,
  Pow: power,
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalAveragePool: globalPool,
  GlobalMaxPool: globalMaxPool,
  ReduceMean: reduceMean,
  ReduceSum: reduceSum,
  ReduceMax: reduceMax,
  Concat: concat,
  Split: split,
  Slice: slice,
  Gather: gather,
  Expand: expand,
  Tile: tile,
  Pad: pad,
  Resize: resize,
  Upsample: resize,
  Reshape: reshape,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Transpose: transposeView,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
  Identity: alias,
  Dropout: alias,
  Cast: alias,
  // fake quantisation of activations: what trains is the network behind it
  QuantizeLinear: alias,
  DequantizeLinear: alias,
  Softmax: softmax,
  LogSoftmax: softmax,
  Log: logarithm,
  Shape: shapeValue,
  Size: (_, __, [x]) =>
    numbers([], [x?.kind === 'value' ? shapeOf(x.view).reduce((a, b) => a * b, 1) : 1], false),
};
