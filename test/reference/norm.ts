import { at, image, type ValueMap, type Values, zeros } from './values';

/** torch.nn.functional.batch_norm: (y, new running mean and variance). */
export function batchNorm(
  { x, weight, bias, running_mean, running_var }: ValueMap,
  { training, momentum, eps }: { training: boolean; momentum: number; eps: number },
): { y: Values; running_mean: Values; running_var: Values } {
  const [N, C, H, W] = x.shape;
  const count = N * H * W;
  const mean = zeros(C).data;
  const variance = zeros(C).data;
  image(x.shape, (n, c, h, w) => {
    mean[c] += x.data[at(x, n, c, h, w)] / count;
    return 0;
  });
  image(x.shape, (n, c, h, w) => {
    variance[c] += (x.data[at(x, n, c, h, w)] - mean[c]) ** 2 / count;
    return 0;
  });
  const [m, v] = training ? [mean, variance] : [running_mean.data, running_var.data];
  const y = image(
    x.shape,
    (n, c, h, w) =>
      ((x.data[at(x, n, c, h, w)] - m[c]) / Math.sqrt(v[c] + eps)) * weight.data[c] + bias.data[c],
  );
  const moved = (old: Values, now: Float64Array, unbias: number): Values => ({
    shape: old.shape,
    data: old.data.map((o, c) => (training ? (1 - momentum) * o + momentum * now[c] * unbias : o)),
  });
  return {
    y,
    running_mean: moved(running_mean, mean, 1),
    running_var: moved(running_var, variance, count / (count - 1)),
  };
}

/** torch.nn.functional.layer_norm over the channels of each pixel. */
export function layerNorm({ x, weight, bias }: ValueMap, eps: number): Values {
  const C = x.shape[1];
  return image(x.shape, (n, c, h, w) => {
    const pixel = Array.from({ length: C }, (_, i) => x.data[at(x, n, i, h, w)]);
    const mean = pixel.reduce((a, b) => a + b) / C;
    const variance = pixel.reduce((a, b) => a + (b - mean) ** 2, 0) / C;
    return ((pixel[c] - mean) / Math.sqrt(variance + eps)) * weight.data[c] + bias.data[c];
  });
}
