/** torch.nn.utils.clip_grad_norm_'s factor for gradients of several tensors. */
export function clipFactor(gradients: readonly ArrayLike<number>[], maxNorm: number): number {
  let squares = 0;
  for (const gradient of gradients) for (let i = 0; i < gradient.length; i++) squares += gradient[i] ** 2;
  return Math.min(1, maxNorm / (Math.sqrt(squares) + 1e-6));
}

/** One step of torch.optim.SGD in place; `buffer` starts at zero. */
export function sgdStep(
  p: Float64Array,
  buffer: Float64Array,
  gradient: ArrayLike<number>,
  o: { lr: number; momentum: number; nesterov: boolean; weightDecay: number },
): void {
  for (let i = 0; i < p.length; i++) {
    const g = gradient[i] + o.weightDecay * p[i];
    buffer[i] = o.momentum * buffer[i] + g;
    p[i] -= o.lr * (o.nesterov ? g + o.momentum * buffer[i] : buffer[i]);
  }
}

/** The t-th step (from 1) of torch.optim.AdamW in place; the moments m and v start at zero. */
export function adamwStep(
  p: Float64Array,
  m: Float64Array,
  v: Float64Array,
  gradient: ArrayLike<number>,
  t: number,
  o: { lr: number; beta1: number; beta2: number; eps: number; weightDecay: number },
): void {
  for (let i = 0; i < p.length; i++) {
    p[i] *= 1 - o.lr * o.weightDecay;
    m[i] = o.beta1 * m[i] + (1 - o.beta1) * gradient[i];
    v[i] = o.beta2 * v[i] + (1 - o.beta2) * gradient[i] ** 2;
    const denominator = Math.sqrt(v[i] / (1 - o.beta2 ** t)) + o.eps;
    p[i] -= ((o.lr / (1 - o.beta1 ** t)) * m[i]) / denominator;
  }
}
