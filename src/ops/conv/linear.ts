import type { GraphBuilder } from '../../graph/ir';
import type { Tensor } from '../../graph/tensor';
import { conv2d } from './conv2d';

/** torch.nn.functional.linear as a 1x1 convolution: x `[n, 1, 1, i]`, weight HWIO `[1, 1, i, o]`, bias `[o]` or none. */
export function linear(
  g: GraphBuilder,
  name: string,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
): Tensor {
  return conv2d(g, name, x, weight, bias, { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 });
}
