import type { GraphBuilder, NoAttributes, Op } from '../../graph/ir';
import { elements, type Tensor } from '../../graph/tensor';
import { imageSums, lossBackward, METRICS_RING } from './metrics';
import type { ImageLoss } from './pixel-cross-entropy';

/** Numbers of a target's cell: its class and one (0: no object), three of nothing, and its box. */
export const CELL_NUMBERS = 8;

/** How much the focal loss makes of a score that is wanted; torchvision's. Its gamma, 2, is in the shader. */
const ALPHA = 0.25;

/**
 * The loss of a one-stage detector over a grid of cells, as torchvision's RetinaNet has it but for smooth L1 in the place of L1: logits
 * `[n, h, w, classes + 4]`, target f32 `[n, h * w * 8]`. Of an image: (the sum of torchvision.ops.sigmoid_focal_loss (alpha 0.25, gamma 2)
 * over all scores, and of torch.nn.functional.smooth_l1_loss over the boxes of the cells that are an object's) / max(1, such cells).
 * A box is (x, y, log width, log height): of its middle from the cell's, and of its sides, in cells.
 * The metrics of an image: (its loss, cells of objects told rightly with a box of IoU 0.5 or more, 1, cells of objects).
 */
export function detectionLoss(g: GraphBuilder, name: string, logits: Tensor, target: Tensor): ImageLoss {
  const loss = g.tensor(name, [1]);
  const dlogits = g.tensor(`${name} dlogits`, logits.shape);
  const metrics = g.tensor('metrics', [METRICS_RING, 4], { role: 'output' });
  g.add(detectionLossOp, name, { logits, target }, { loss, dlogits, metrics }, {});
  return { loss, dlogits, metrics };
}

interface Forward {
  inputs: { logits: Tensor; target: Tensor };
  outputs: { loss: Tensor; dlogits: Tensor; metrics: Tensor };
  attrs: NoAttributes;
}

const detectionLossOp: Op<Forward> = {
  name: 'detection_loss',
  lower: ({ inputs: { logits, target }, outputs: { loss, dlogits, metrics }, name }, { temporary }) => {
    const [n, h, w, channels] = logits.shape;
    const partial = temporary(`${name} partial`, [n, 4]);
    return [
      {
        shader: 'loss/detection',
        constants: {
          N: n,
          CELLS: h * w,
          CLASSES: channels - 4,
          CHANNELS: logits.padded[3],
          ALPHA,
        },
        reads: { logits, truth: target },
        writes: { dlogits, partial },
        workgroups: [n, 1, 1],
        flops: 20 * elements(logits),
      },
      imageSums(partial, loss, metrics),
    ];
  },
  backward: ({ inputs: { logits }, outputs: { loss, dlogits }, name }, tape) =>
    lossBackward(tape, name, { logits, loss, dlogits }),
};
