/** Views that show channels as blocks of pixels, or blocks of pixels as channels. */
import { type BlockAttributes, type BlockOrder, blockStrides } from '../../ops/channels';
import type { Axis, Extents, Factor, View } from './view';

export const BLOCK_ORDERS: readonly BlockOrder[] = ['chw', 'cwh', 'hcw', 'hwc', 'wch', 'whc'];

/** `axes`: dimensions of the view once it is done. */
type Blocks = BlockAttributes & { axes: readonly Axis[] };

const LAYOUTS: readonly (readonly Axis[])[] = [
  ['n', 'c', 'h', 'w'],
  ['n', 'h', 'w', 'c'],
];

/** What a view shows of channels, rows and columns that it is none of; undefined where it is no such thing. */
export function blocksIn(view: View, extents: Extents): Blocks | undefined {
  const sizes = new Set(view.flat().map(({ size }) => size));
  for (const axes of LAYOUTS)
    for (const block of sizes)
      for (const order of BLOCK_ORDERS)
        for (const kind of ['depth_to_space', 'space_to_depth'] as const) {
          const shown = (kind === 'space_to_depth' ? gathered : laid)(extents, block, order);
          const expected = axes.map((axis) =>
            axis === 'n' ? [{ axis, size: extents.n, stride: 1 }] : shown[axis],
          );
          if (isSame(view, expected)) return { kind, block, order, axes };
        }
  return undefined;
}

type Dimensions = Record<Exclude<Axis, 'n'>, Factor[]>;

/** Channels as blocks of pixels. */
function laid({ c, h, w }: Extents, block: number, order: BlockOrder): Dimensions {
  const channels = c / block ** 2;
  const strides = blockStrides(order, channels, block);
  const step = (size: number, letter: 'c' | 'h' | 'w'): Factor => ({
    axis: 'c',
    size,
    stride: strides[letter],
  });
  return {
    c: [step(channels, 'c')],
    h: [{ axis: 'h', size: h, stride: 1 }, step(block, 'h')],
    w: [{ axis: 'w', size: w, stride: 1 }, step(block, 'w')],
  };
}

/** Blocks of pixels as channels. */
function gathered({ c, h, w }: Extents, block: number, order: BlockOrder): Dimensions {
  const sizes = { c, h: block, w: block };
  return {
    c: ([...order] as ('c' | 'h' | 'w')[]).map((axis) => ({ axis, size: sizes[axis], stride: 1 })),
    h: [{ axis: 'h', size: h / block, stride: block }],
    w: [{ axis: 'w', size: w / block, stride: block }],
  };
}

/** Whether dimensions have the same factors, those of one step apart. */
function isSame(view: View, expected: readonly Factor[][]): boolean {
  const plain = (factors: readonly Factor[]) =>
    factors.flatMap(({ axis, size, stride }) => (size === 1 ? [] : [`${axis} ${size} ${stride}`])).join();
  return view.length === expected.length && view.every((factors, d) => plain(factors) === plain(expected[d]));
}
