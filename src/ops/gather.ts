import type { Constants, GraphBuilder, Op } from '../graph/ir';
import { elements, type Tensor } from '../graph/tensor';
import { workgroupsFor } from '../graph/workgroups';

/** A labelled image set on the GPU and what becomes of its images. */
export interface GatherOptions {
  /** RGB bytes `[images * height * width * 3]`: all images of the set, or a ring of fewer (see `gather`) */
  images: Tensor;
  /** u32 `[count]`, a class for each image of the set */
  labels: Tensor;
  /** u32, the order in which the set's images are taken */
  order: Tensor;
  batch: number;
  /** in pixels, of the set */
  height: number;
  width: number;
  /** what is cut out of each image, in pixels, where nothing is drawn; the batch has its size */
  crop: Crop;
  /** of the batch: red, green and blue, or their gray */
  channels: 1 | 3;
  /** of each channel, for pixels from 0 to 1 */
  mean: readonly number[];
  std: readonly number[];
  /** random crop after padding with so many black pixels; 0: none */
  cropPadding: number;
  /** random flips */
  flip: boolean;
  verticalFlip: boolean;
}

/** A rectangle of an image, in pixels. */
export interface Crop {
  top: number;
  left: number;
  height: number;
  width: number;
}

/**
 * The batch that the step uniform points at: `x [batch, crop.height, crop.width, channels]`, cropped, flipped and normalised, and
 * `target` u32 `[batch]`. Entry n is image order[batchOffset + n]; entries from `rows` on are zero.
 *
 * A set too large to be held goes through a ring: `images` holds fewer images than there are `labels`, and before a step
 * runs the host writes the image for position p of the order to place p modulo the ring's capacity.
 */
export function gather(g: GraphBuilder, name: string, options: GatherOptions): { x: Tensor; target: Tensor } {
  const { images, labels, order, ...attrs } = options;
  const { batch, crop, channels } = attrs;
  const x = g.tensor(`${name} batch`, [batch, crop.height, crop.width, channels]);
  const target = g.tensor(`${name} target`, [batch], { dtype: 'u32' });
  g.add(gatherOp, name, { images, labels, order }, { x, target }, attrs);
  return { x, target };
}

interface Gather {
  inputs: { images: Tensor; labels: Tensor; order: Tensor };
  outputs: { x: Tensor; target: Tensor };
  attrs: Omit<GatherOptions, 'images' | 'labels' | 'order'>;
}

/** The constants of a shader that reads stored images: their sizes, those of the batch, and whether they lie in a ring. */
export function storedConstants(
  images: Tensor,
  labels: Tensor,
  { batch, height, width, crop }: Pick<GatherOptions, 'batch' | 'height' | 'width' | 'crop'>,
): Constants {
  const capacity = images.shape[0] / (height * width * 3);
  return {
    N: batch,
    STORED_H: height,
    STORED_W: width,
    H: crop.height,
    W: crop.width,
    CAPACITY: capacity,
    RING: capacity < labels.shape[0],
  };
}

/** The constants of a shader that normalises colours, or their gray. */
export const normalisation = ({
  channels,
  mean,
  std,
}: Pick<GatherOptions, 'channels' | 'mean' | 'std'>): Constants => ({
  GRAY: channels === 1,
  ...{ MEAN0: mean[0], MEAN1: mean[1] ?? 0, MEAN2: mean[2] ?? 0 },
  ...{ STD0: std[0], STD1: std[1] ?? 1, STD2: std[2] ?? 1 },
});

const gatherOp: Op<Gather> = {
  name: 'gather',
  lower: ({ inputs: { images, labels, order }, outputs: { x, target }, attrs }) => {
    const { batch, crop } = attrs;
    const pixels = batch * crop.height * crop.width;
    return [
      {
        shader: 'data/gather',
        constants: {
          ...storedConstants(images, labels, attrs),
          ...normalisation(attrs),
          TOP: crop.top,
          LEFT: crop.left,
          CROP: attrs.cropPadding,
          FLIP: attrs.flip,
          VERTICAL: attrs.verticalFlip,
        },
        reads: { images, labels, order },
        writes: { x, target_class: target },
        workgroups: workgroupsFor(pixels),
        flops: 3 * 3 * pixels,
        bytes: 3 * pixels + 4 * elements(x) + 12 * batch,
      },
    ];
  },
};
