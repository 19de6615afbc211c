import { UserError } from '../errors';
import type { GraphBuilder, Op } from '../graph/ir';
import { elements, type Tensor } from '../graph/tensor';
import { workgroupsFor } from '../graph/workgroups';

/** What counts the channels that a block's pixels become, the slowest first: the channel itself, the row, the column in the block. */
export const BLOCK_ORDERS = ['chw', 'cwh', 'hcw', 'hwc', 'wch', 'whc'] as const;
export type BlockOrder = (typeof BLOCK_ORDERS)[number];

interface BlockAttributes {
  /** side of a block, pixels */
  block: number;
  order: BlockOrder;
}

/**
 * Channels `[n, h, w, block² c]` as blocks of pixels `[n, block h, block w, c]`: torch.nn.PixelShuffle and ONNX's DepthToSpace of mode
 * CRD by the order `chw`, of mode DCR by `hwc`.
 * @throws UserError where the channels are no multiple of block²
 */
export function depthToSpace(
  g: GraphBuilder,
  name: string,
  x: Tensor,
  { block, order }: BlockAttributes,
): Tensor {
  const [n, h, w, c] = x.shape;
  if (c % block ** 2)
    throw new UserError(`${name}: ${c} channels cannot become blocks of ${block} x ${block} pixels.`);
  const y = g.tensor(name, [n, h * block, w * block, c / block ** 2]);
  g.add(depthToSpaceOp, name, { x }, { y }, { block, order, gathers: false });
  return y;
}

/**
 * Blocks of pixels as channels, the inverse: torch.nn.PixelUnshuffle by the order `chw`, ONNX's SpaceToDepth by `hwc`.
 * @throws UserError where height or width is no multiple of `block`
 */
export function spaceToDepth(
  g: GraphBuilder,
  name: string,
  x: Tensor,
  { block, order }: BlockAttributes,
): Tensor {
  const [n, h, w, c] = x.shape;
  if (h % block || w % block)
    throw new UserError(
      `${name}: images of ${h} x ${w} pixels there cannot be cut into blocks of ${block} x ${block}: choose an image size that makes them a multiple of ${block}.`,
    );
  const y = g.tensor(name, [n, h / block, w / block, c * block ** 2]);
  g.add(depthToSpaceOp, name, { x }, { y }, { block, order, gathers: true });
  return y;
}

/** How many channels of those with blocks in them a step of each takes, where `channels` are in blocks of that side. */
export function blockStrides(
  order: BlockOrder,
  channels: number,
  block: number,
): { c: number; h: number; w: number } {
  const extents = { c: channels, h: block, w: block };
  const strides = { c: 0, h: 0, w: 0 };
  let stride = 1;
  for (const letter of [...order].reverse() as (keyof typeof strides)[]) {
    strides[letter] = stride;
    stride *= extents[letter];
  }
  return strides;
}

interface DepthToSpace {
  inputs: { x: Tensor; addend?: Tensor };
  outputs: { y: Tensor };
  /** `gathers`: blocks become channels */
  attrs: BlockAttributes & { gathers: boolean };
}

const depthToSpaceOp: Op<DepthToSpace> = {
  name: 'depth_to_space',
  lower: ({ inputs: { x, addend }, outputs: { y }, attrs: { block, order, gathers } }) => {
    const size = elements(y) / 4;
    const strides = blockStrides(order, gathers ? x.shape[3] : y.shape[3], block);
    return [
      {
        shader: 'shape/depth_to_space',
        constants: {
          SIZE: size,
          H: y.shape[1],
          W: y.shape[2],
          C: y.shape[3],
          IC: x.shape[3],
          R: block,
          STRIDE_C: strides.c,
          STRIDE_H: strides.h,
          STRIDE_W: strides.w,
          GATHERS: gathers,
          ADDEND: addend !== undefined,
        },
        reads: { x, addend },
        writes: { y },
        workgroups: workgroupsFor(size),
        flops: 0,
      },
    ];
  },
  backward: ({ inputs: { x }, outputs: { y }, attrs, name }, tape) => {
    const dy = tape.gradient(y)!;
    tape.contribute(x, ({ out, addend }) =>
      tape.graph.add(
        depthToSpaceOp,
        name,
        { x: dy, addend },
        { y: out },
        { ...attrs, gathers: !attrs.gathers },
      ),
    );
  },
};
