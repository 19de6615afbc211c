import type { GraphBuilder, NoAttributes, Op } from '../../graph/ir';
import { elements, type Tensor } from '../../graph/tensor';
import { imageSums, lossBackward, METRICS_RING } from './metrics';

/** A loss of images that it writes sums of. */
export interface ImageLoss {
  /** `[1]`: the mean over the step's images */
  loss: Tensor;
  /** the gradient of `loss` with respect to the logits; zero in images past the step's */
  dlogits: Tensor;
  /** output `[256, sums]`, an entry a step: sums over its images */
  metrics: Tensor;
}

/**
 * torch.nn.functional.cross_entropy of every pixel: logits `[n, h, w, c]`, target f32 `[n, h * w]` of classes. The metrics of an image:
 * (its loss, pixels told rightly, 1, 0), then of each class (pixels told rightly to be of it, told to be of it, of it, 0).
 */
export function pixelCrossEntropy(g: GraphBuilder, name: string, logits: Tensor, target: Tensor): ImageLoss {
  const loss = g.tensor(name, [1]);
  const dlogits = g.tensor(`${name} dlogits`, logits.shape);
  const sums = 4 * (1 + logits.shape[3]);
  const metrics = g.tensor('metrics', [METRICS_RING, sums], { role: 'output' });
  g.add(pixelCrossEntropyOp, name, { logits, target }, { loss, dlogits, metrics }, {});
  return { loss, dlogits, metrics };
}

interface Forward {
  inputs: { logits: Tensor; target: Tensor };
  outputs: { loss: Tensor; dlogits: Tensor; metrics: Tensor };
  attrs: NoAttributes;
}

const pixelCrossEntropyOp: Op<Forward> = {
  name: 'pixel_cross_entropy',
  lower: ({ inputs: { logits, target }, outputs: { loss, dlogits, metrics }, name }, { temporary }) => {
    const [n, h, w, classes] = logits.shape;
    const partial = temporary(`${name} partial`, [n, metrics.shape[1]]);
    return [
      {
        shader: 'loss/pixel_cross_entropy',
        constants: { N: n, PIXELS: h * w, CLASSES: classes, C4: logits.padded[3] / 4 },
        reads: { logits, truth: target },
        writes: { dlogits, partial },
        workgroups: [n, 1, 1],
        flops: 10 * elements(logits),
      },
      imageSums(partial, loss, metrics),
    ];
  },
  backward: ({ inputs: { logits }, outputs: { loss, dlogits }, name }, tape) =>
    lossBackward(tape, name, { logits, loss, dlogits }),
};
