/** Tasks that tell more of an image than its class. */
import { averagePrecisions, matchDetections, rankDetections } from '../analysis/detection';
import { intersectionOverUnion, meanOfClasses } from '../analysis/segmentation';
import { pad4, type Tensor } from '../graph/tensor';
import { headChannels, type Model } from '../model/model';
import { CELL_NUMBERS, detectionLoss } from '../ops/loss/detection';
import { pixelCrossEntropy } from '../ops/loss/pixel-cross-entropy';
import { decodeObjects, encodeObjects, gridOf } from './boxes';
import type { Figures } from './metrics';
import type { Sides, Task } from './task-types';

const score = ({ accuracy }: Figures): number => accuracy;

/** A class a pixel; the figure is mIoU over the pixels of all images, what is of no class a class of its own. */
const segmentation = ({ head, task }: Model): Task => ({
  loss: (graph, logits, target) => {
    checkGrid(logits, target.shape[1]);
    return pixelCrossEntropy(graph, 'loss', logits, target).dlogits;
  },
  targets: {
    size: ({ height, width }) => height * width,
    of: (images) => Float32Array.from(images.truth!.masks),
  },
  sums: 4 * (1 + headChannels(task, head.classes)),
  figures: (row) => ({
    loss: row[0] / row[2],
    accuracy: meanOfClasses(intersectionOverUnion(Array.from(row).filter((_, i) => i >= 4 && i % 4 < 3))),
  }),
  score,
});

/**
 * Objects' boxes and classes. Of training batches the figure is the share of objects' cells that are told rightly, of a whole set the
 * mean over the classes of average precision at an overlap of half.
 */
const detection = ({ head, task }: Model): Task => ({
  loss: (graph, logits, target) => {
    checkGrid(logits, target.shape[1] / CELL_NUMBERS);
    return detectionLoss(graph, 'loss', logits, target).dlogits;
  },
  targets: {
    size: (sides) => cellsOf(sides) * CELL_NUMBERS,
    of: (images) => {
      const size = cellsOf(images) * CELL_NUMBERS;
      const targets = new Float32Array(images.count * size);
      for (const [i, objects] of images.truth!.objects.entries())
        encodeObjects(objects, gridOf(images), targets.subarray(i * size, (i + 1) * size));
      return targets;
    },
  },
  sums: 4,
  figures: ({ 0: loss, 1: right, 2: images, 3: cells }) => ({
    loss: loss / images,
    accuracy: right / (cells || 1),
  }),
  measure: (logits, order, images) => {
    const { classes } = head;
    const grid = gridOf(images);
    const stride = pad4(headChannels(task, classes));
    const size = cellsOf(images) * stride;
    const matched = Array.from({ length: logits.length / size }, (_, i) => {
      const of = { logits: logits.subarray(i * size, (i + 1) * size), stride, classes, grid };
      return matchDetections(decodeObjects(of), images.truth!.objects[order[i]]);
    });
    return meanOfClasses(averagePrecisions(rankDetections(matched, classes)));
  },
  score,
});

function cellsOf(sides: Sides): number {
  const { rows, columns } = gridOf(sides);
  return rows * columns;
}

function checkGrid({ shape: [, h, w] }: Tensor, places: number): void {
  if (h * w !== places) throw new Error(`logits of ${h} x ${w} places, targets of ${places}`);
}

export const denseTasks = { segmentation, detection };
