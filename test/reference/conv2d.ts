import type { ConvAttributes } from '../../src/ops/conv/conv2d';
import { at, type ValueMap, type Values, zeros } from './values';

/** torch.nn.functional.conv2d with its gradients for the upstream gradient dy: every triple of numbers that meet, one by one. */
export function conv2d({ x, weight, bias }: ValueMap, a: ConvAttributes): Values {
  const y = outputOf(x, weight, a);
  const [, O, H, W] = y.shape;
  if (bias)
    y.data.forEach((_, i) => {
      y.data[i] = bias.data[Math.floor(i / (H * W)) % O];
    });
  meet(x, weight, y, a, (i, j, k) => {
    y.data[k] += x.data[i] * weight.data[j];
  });
  return y;
}

/** The gradients of x, weight and bias. */
export function conv2dGradients({ x, weight }: ValueMap, dy: Values, a: ConvAttributes): ValueMap {
  const [dx, dw] = [zeros(...x.shape), zeros(...weight.shape)];
  meet(x, weight, dy, a, (i, j, k) => {
    dx.data[i] += dy.data[k] * weight.data[j];
    dw.data[j] += dy.data[k] * x.data[i];
  });
  const db = zeros(weight.shape[0]);
  const [, O, H, W] = dy.shape;
  dy.data.forEach((v, i) => {
    db.data[Math.floor(i / (H * W)) % O] += v;
  });
  return { x: dx, weight: dw, bias: db };
}

function outputOf(x: Values, w: Values, a: ConvAttributes): Values {
  const { stride, padding, paddingEnd = padding, dilation } = a;
  const size = (j: 0 | 1) =>
    Math.floor(
      (x.shape[2 + j] + padding[j] + paddingEnd[j] - dilation[j] * (w.shape[2 + j] - 1) - 1) / stride[j],
    ) + 1;
  return zeros(x.shape[0], w.shape[0], size(0), size(1));
}

/** Visits the places in x, weight and y of every product that the convolution sums. */
function meet(
  x: Values,
  w: Values,
  y: Values,
  a: ConvAttributes,
  visit: (i: number, j: number, k: number) => void,
): void {
  const [O, I, KH, KW] = w.shape;
  const [N, , OH, OW] = y.shape;
  for (let n = 0; n < N; n++)
    for (let o = 0; o < O; o++)
      for (let oh = 0; oh < OH; oh++)
        for (let ow = 0; ow < OW; ow++)
          for (let i = 0; i < I; i++)
            for (let kh = 0; kh < KH; kh++)
              for (let kw = 0; kw < KW; kw++) {
                const h = oh * a.stride[0] - a.padding[0] + kh * a.dilation[0];
                const v = ow * a.stride[1] - a.padding[1] + kw * a.dilation[1];
                if (h < 0 || h >= x.shape[2] || v < 0 || v >= x.shape[3]) continue;
                const c = Math.floor(o / (O / a.groups)) * I + i;
                visit(at(x, n, c, h, v), ((o * I + i) * KH + kh) * KW + kw, at(y, n, o, oh, ow));
              }
}
