import { UserError } from '../../errors';
import type { GraphBuilder, Op } from '../../graph/ir';
import { elements, type Tensor } from '../../graph/tensor';
import { lossBackward, METRICS_RING } from './metrics';

export interface CrossEntropyOptions {
  labelSmoothing: number;
  /** `[c]`: a factor on each class, as CrossEntropyLoss takes it; default: 1 for all */
  classWeights?: Tensor;
  /** write each step's sums into the output `metrics` */
  metrics: boolean;
  /** what says how the batch was mixed (see `augment`): targets are then those of two rows */
  mix?: Tensor;
}

export interface CrossEntropy {
  /** `[1]`: the mean over the step's rows, a weighted one where classes have weights; see `batchWeight` of the step uniform */
  loss: Tensor;
  /** the gradient of `loss` with respect to the logits; zero in rows past the step's */
  dlogits: Tensor;
  /**
   * output `[256, 4]`, an entry a step: (sum of losses, rows whose first maximum is the target, rows, sum of the targets'
   * weights where classes have some, else 0)
   */
  metrics?: Tensor;
}

/**
 * torch.nn.functional.cross_entropy with class indices, class weights and label smoothing: logits `[n, 1, 1, c]`, target u32 `[n]`. Loss, gradient and
 * accuracy in one dispatch; the first min(step.rows, n) rows count. A loss that is not finite stays so.
 */
export function crossEntropy(
  g: GraphBuilder,
  name: string,
  logits: Tensor,
  target: Tensor,
  { labelSmoothing, classWeights, metrics, mix }: CrossEntropyOptions,
): CrossEntropy {
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1))
    throw new UserError(`Label smoothing must lie in 0 to 1, not ${labelSmoothing}.`);
  const loss = g.tensor(name, [1]);
  const dlogits = g.tensor(`${name} dlogits`, logits.shape);
  const ring = metrics ? g.tensor('metrics', [METRICS_RING, 4], { role: 'output' }) : undefined;
  const outputs = { loss, dlogits, metrics: ring };
  g.add(crossEntropyOp, name, { logits, target, classWeights, mix }, outputs, { labelSmoothing });
  return { loss, dlogits, metrics: ring };
}

interface Forward {
  inputs: { logits: Tensor; target: Tensor; classWeights?: Tensor; mix?: Tensor };
  outputs: { loss: Tensor; dlogits: Tensor; metrics?: Tensor };
  attrs: { labelSmoothing: number };
}

export const crossEntropyOp: Op<Forward> = {
  name: 'cross_entropy',
  lower: ({ inputs: { logits, target, classWeights, mix }, outputs: { loss, dlogits, metrics }, attrs }) => [
    {
      shader: 'loss/cross_entropy',
      constants: {
        N: logits.shape[0],
        CLASSES: logits.shape[3],
        C4: logits.padded[3] / 4,
        SMOOTHING: attrs.labelSmoothing,
        METRICS: metrics !== undefined,
        RING: METRICS_RING,
        ...(classWeights && { CLASS_WEIGHTS: true }),
        ...(mix && { MIXED: true }),
      },
      reads: { logits, target_class: target, class_weights: classWeights, mix_of: mix },
      writes: { loss, dlogits, metrics },
      workgroups: [1, 1, 1],
      flops: 10 * elements(logits),
      // of the ring one entry
      bytes: 8 * elements(logits) + 4 * elements(target) + 32,
    },
  ],
  backward: ({ inputs: { logits }, outputs: { loss, dlogits }, name }, tape) =>
    lossBackward(tape, name, { logits, loss, dlogits }),
};
