/** What a network for segmentation or detection says of the test images, by its logits. */
import { averagePrecisions, matchDetections, rankDetections } from '../analysis/detection';
import { countPixels, intersectionOverUnion, meanOfClasses } from '../analysis/segmentation';
import { bootstrapInterval, type Interval } from '../analysis/uncertainty';
import { evaluationOrder } from '../data/order';
import { imageBytes, readImages } from '../data/pixels';
import { Random } from '../data/random';
import type { LabelledImages } from '../data/types';
import { pad4 } from '../graph/tensor';
import { headChannels, type Model } from '../model/model';
import { decodeObjects, gridOf } from '../train/boxes';
import type { Picture, Pictures, Seen } from './pictures';

/** The figures of a network: intersections over unions, or average precisions at an overlap of half. */
export interface DenseFigures {
  /** of each class, that of no class among them where pixels are told; undefined for one that no test image has */
  classes: { class: string; figure?: number }[];
}

export interface DenseEvaluation extends DenseFigures {
  /** what their mean may be on other images of the kind: 95 %, by drawing these anew (bootstrap) */
  interval: Interval;
  /** what it sees in the first images of the set */
  seen: Seen[];
}

/** Test images that are shown, the set's first. */
const SHOWN = 6;
/** Boxes that are shown are at least so sure. */
const SHOWN_SCORE = 0.3;

/** How often the images are drawn anew. */
const DRAWS = 200;

type Sides = Pick<LabelledImages, 'height' | 'width'>;

/** @param logits of all test images in an evaluation's order, as they lie */
export function denseEvaluation(logits: Float32Array, model: Model, test: LabelledImages): DenseEvaluation {
  const size = logits.length / test.count;
  const rows = new Array<Float32Array>(test.count);
  evaluationOrder(test.count).forEach((image, i) => {
    rows[image] = logits.subarray(i * size, (i + 1) * size);
  });
  const { classes, seen, figures } =
    model.task === 'segmentation' ? masks(rows, model, test) : boxes(rows, model, test);
  const all = figures();
  const random = new Random(test.count);
  return {
    classes: classes.map((name, c) => ({ class: name, ...(all[c] !== undefined && { figure: all[c] }) })),
    interval: bootstrapInterval(test.count, (times) => meanOfClasses(figures(times)), {
      draws: DRAWS,
      index: (n) => random.index(n),
    }),
    seen,
  };
}

/** The figures class by class, of images that count so often each; default: once. */
type FiguresOf = (times?: ArrayLike<number>) => (number | undefined)[];

interface Told {
  classes: string[];
  seen: Seen[];
  figures: FiguresOf;
}

function masks(rows: readonly Float32Array[], { head, task }: Model, test: LabelledImages): Told {
  const channels = headChannels(task, head.classes);
  const { masks: truth } = test.truth!;
  const area = test.height * test.width;
  const told = rows.map((row) => maskOf(row, channels, area));
  const counts = told.map((mask, i) => countPixels(mask, truth.subarray(i * area, (i + 1) * area), channels));
  return {
    classes: ['(none)', ...test.classes],
    seen: told.slice(0, SHOWN).map((mask) => ({ mask })),
    figures: (times) => {
      const sum = new Float64Array(3 * channels);
      for (const [image, count] of counts.entries()) {
        const weight = times?.[image] ?? 1;
        for (let i = 0; i < sum.length; i++) sum[i] += weight * count[i];
      }
      return intersectionOverUnion(sum);
    },
  };
}

/** The first largest of each pixel's logits, as the loss counts them. */
function maskOf(row: Float32Array, channels: number, area: number): Uint8Array {
  const stride = pad4(channels);
  return Uint8Array.from({ length: area }, (_, pixel) => {
    let best = 0;
    for (let c = 1; c < channels; c++) if (row[pixel * stride + c] > row[pixel * stride + best]) best = c;
    return best;
  });
}

function boxes(rows: readonly Float32Array[], { head, task }: Model, test: LabelledImages): Told {
  const { classes } = head;
  const stride = pad4(headChannels(task, classes));
  const told = rows.map((logits) => decodeObjects({ logits, stride, classes, grid: gridOf(test) }));
  const matched = told.map((detections, i) => matchDetections(detections, test.truth!.objects[i]));
  const ranked = rankDetections(matched, classes);
  return {
    classes: test.classes,
    seen: told.slice(0, SHOWN).map((all) => ({ boxes: all.filter(({ score }) => score >= SHOWN_SCORE) })),
    figures: (times) => averagePrecisions(ranked, times),
  };
}

/** The first test images, with what is there and what the networks see. */
export async function picturesOf(
  test: LabelledImages,
  model: Model,
  { base, last }: { base?: DenseEvaluation; last?: DenseEvaluation },
): Promise<Pictures> {
  const { height, width, classes } = test;
  const images: Picture[] = [];
  for (let i = 0; i < Math.min(SHOWN, test.count); i++) {
    const pixels = new Uint8Array(imageBytes(test));
    await readImages(test, [i], pixels);
    images.push({ pixels, truth: truthOf(test, model, i), base: base?.seen[i], last: last?.seen[i] });
  }
  return { height, width, classes, images };
}

function truthOf({ truth, height, width }: LabelledImages & Sides, { task }: Model, image: number): Seen {
  if (task === 'detection') return { boxes: truth!.objects[image] };
  const area = height * width;
  return { mask: truth!.masks.slice(image * area, (image + 1) * area) };
}
