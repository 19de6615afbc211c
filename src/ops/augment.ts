import { UserError } from '../errors';
import type { GraphBuilder, Op } from '../graph/ir';
import { elements, type Tensor } from '../graph/tensor';
import { workgroupsFor } from '../graph/workgroups';
import { type GatherOptions, normalisation, storedConstants } from './gather';

/** How images and batches are changed at random, by the names and with the meaning of torchvision's transforms. */
export interface Augmentation {
  /** RandomResizedCrop: the least share of the area; 1: no such crop, and `cropPadding` and the middle hold */
  cropScale: number;
  /** and the largest ratio of the sides; the smallest is one over it */
  cropRatio: number;
  /** filter of its resizing */
  interpolation: 'bilinear' | 'bicubic';
  /** ColorJitter: brightness, contrast, saturation, hue */
  colorJitter: readonly number[];
  /** TrivialAugmentWide */
  trivialAugment: boolean;
  /** RandomErasing: the probability, with value 0 */
  randomErasing: number;
  /** parameter of the beta distribution of mixup, of CutMix; 0: none. With both, each batch has one of them */
  mixup: number;
  cutmix: number;
}

/** Whether a batch takes more than `gather`. */
export const isAugmented = (a: Augmentation): boolean =>
  a.cropScale < 1 ||
  a.trivialAugment ||
  a.randomErasing > 0 ||
  a.mixup > 0 ||
  a.cutmix > 0 ||
  a.colorJitter.some((strength) => strength > 0);

type Options = GatherOptions & Augmentation;

/** An augmented batch; `mix` says how it was mixed, where it was. */
export interface AugmentedBatch {
  x: Tensor;
  target: Tensor;
  /** `[8]`: kind (1 mixup, 2 CutMix), share of an image, 0, 0, the box */
  mix?: Tensor;
}

/**
 * The batch that `gather` makes, but with all that torchvision's training transforms know: boxes, factors and operations of each
 * image are drawn by (seed, epoch, position), then images are cropped, resized and mirrored, their colours changed, and batches
 * mixed. In between images are bytes, as PIL's are.
 */
export function augment(g: GraphBuilder, name: string, options: Options): AugmentedBatch {
  const { images, labels, order, ...attrs } = options;
  const { batch, mixup, cutmix } = attrs;
  if (attrs.cropScale <= 0)
    throw new UserError(`The share of a crop must be above 0, not ${attrs.cropScale}.`);
  const parameters = g.tensor(`${name} parameters`, [batch, PARAMETERS]);
  const mix = mixup > 0 || cutmix > 0 ? g.tensor(`${name} mix`, [8]) : undefined;
  g.add(drawOp, `${name} draw`, {}, { parameters, mix }, attrs);
  const { x, target } = augmentBy(g, name, options, parameters);
  if (!mix) return { x, target };
  const mixed = g.tensor(`${name} mixed`, x.shape);
  mixBy(g, name, x, mix, mixed);
  return { x: mixed, target, mix };
}

/** The batch by parameters that are given, as `shaders/data/draw.wgsl` writes them: `[batch, 28]`. */
export function augmentBy(g: GraphBuilder, name: string, options: Options, parameters: Tensor) {
  const { images, labels, order, ...attrs } = options;
  const { batch, crop, channels } = attrs;
  const { height, width } = crop;
  const shape = [batch, height * width];
  const bytes = g.tensor(`${name} bytes`, shape, { dtype: 'u32', padded: shape });
  const x = g.tensor(`${name} batch`, [batch, height, width, channels]);
  const target = g.tensor(`${name} target`, [batch], { dtype: 'u32' });
  g.add(cropOp, `${name} crop`, { images, labels, order, parameters }, { bytes, target }, attrs);
  g.add(colourOp, `${name} colour`, { bytes, parameters }, { x }, attrs);
  return { x, target };
}

/** Mixes the rows of x by what `mix` says into `out`. */
export function mixBy(g: GraphBuilder, name: string, x: Tensor, mix: Tensor, out: Tensor): void {
  g.add(mixOp, `${name} mix`, { x, mix }, { out }, {});
}

/** Numbers that are drawn for an image; see shaders/data/draw.wgsl. */
export const PARAMETERS = 28;

type Attrs = Omit<Options, 'images' | 'labels' | 'order'>;

interface Draw {
  inputs: Record<string, never>;
  outputs: { parameters: Tensor; mix?: Tensor };
  attrs: Attrs;
}

const drawOp: Op<Draw> = {
  name: 'draw',
  lower: ({ outputs: { parameters, mix }, attrs }) => {
    const { batch, height, width, crop, colorJitter } = attrs;
    const [brightness, contrast, saturation, hue] = colorJitter;
    return [
      {
        shader: 'data/draw',
        constants: {
          N: batch,
          STORED_H: height,
          STORED_W: width,
          H: crop.height,
          W: crop.width,
          TOP: crop.top,
          LEFT: crop.left,
          CROP: attrs.cropPadding,
          RESIZED: attrs.cropScale < 1,
          LEAST_AREA: attrs.cropScale,
          LOG_RATIO: Math.log(attrs.cropRatio),
          FLIP: attrs.flip,
          VERTICAL: attrs.verticalFlip,
          JITTER: jitters(attrs),
          BRIGHTNESS: brightness,
          CONTRAST: contrast,
          SATURATION: saturation,
          HUE: hue,
          TRIVIAL: attrs.trivialAugment,
          ERASING: attrs.randomErasing,
          MIX: mix !== undefined,
          MIXUP: attrs.mixup,
          CUTMIX: attrs.cutmix,
        },
        reads: {},
        writes: { parameters, mix_of: mix },
        workgroups: workgroupsFor(batch + 1),
        flops: 50 * batch,
        bytes: 4 * elements(parameters),
      },
    ];
  },
};

const jitters = ({ colorJitter }: Attrs): boolean => colorJitter.some((strength) => strength > 0);

interface CropAndResize {
  inputs: { images: Tensor; labels: Tensor; order: Tensor; parameters: Tensor };
  outputs: { bytes: Tensor; target: Tensor };
  attrs: Attrs;
}

const cropOp: Op<CropAndResize> = {
  name: 'resized_crop',
  lower: ({ inputs: { images, labels, order, parameters }, outputs: { bytes, target }, attrs }) => {
    const { batch, height, width, crop, interpolation } = attrs;
    const pixels = batch * crop.height * crop.width;
    return [
      {
        shader: 'data/resized_crop',
        constants: {
          ...storedConstants(images, labels, attrs),
          CUBIC: interpolation === 'bicubic',
        },
        reads: { images, labels, order, parameters },
        writes: { out: bytes, target_class: target },
        workgroups: workgroupsFor(pixels),
        // four taps a pixel where an image grows
        flops: 4 * 3 * 4 * pixels,
        bytes: 3 * batch * height * width + 4 * pixels + 12 * batch + 4 * elements(parameters),
      },
    ];
  },
};

interface Colour {
  inputs: { bytes: Tensor; parameters: Tensor };
  outputs: { x: Tensor };
  attrs: Attrs;
}

const colourOp: Op<Colour> = {
  name: 'colour',
  lower: ({ inputs: { bytes, parameters }, outputs: { x }, attrs, name }, { temporary }) => {
    const { batch, crop, trivialAugment } = attrs;
    const changes = jitters(attrs) || trivialAugment;
    const work = changes ? temporary(`${name} work`, bytes.shape, bytes.padded) : undefined;
    return [
      {
        shader: 'data/colour',
        constants: {
          H: crop.height,
          W: crop.width,
          JITTER: jitters(attrs),
          TRIVIAL: trivialAugment,
          ERASING: attrs.randomErasing > 0,
          ...normalisation(attrs),
        },
        reads: { bytes, parameters },
        writes: { x, work },
        workgroups: [batch, 1, 1],
        flops: 20 * elements(x),
        bytes: 4 * elements(bytes) * (changes ? 5 : 1) + 4 * elements(x),
      },
    ];
  },
};

interface Mix {
  inputs: { x: Tensor; mix: Tensor };
  outputs: { out: Tensor };
  attrs: Record<string, never>;
}

const mixOp: Op<Mix> = {
  name: 'mix',
  lower: ({ inputs: { x, mix }, outputs: { out } }) => {
    const [n, height, width] = x.shape;
    const pixels = n * height * width;
    return [
      {
        shader: 'data/mix',
        constants: { N: n, H: height, W: width },
        reads: { x, mix_of: mix },
        writes: { out },
        workgroups: workgroupsFor(pixels),
        flops: 3 * 3 * pixels,
      },
    ];
  },
};
