/** Channels as blocks of pixels, and these as channels, as a regrouping of dimensions: what exporters write, and how it is known again. */
import type { BlockAttributes, BlockOrder } from '../../ops/channels';
import { type Axis, type Extents, reshaped, transposed, type View, viewOf } from './view';

export const BLOCK_ORDERS: readonly BlockOrder[] = ['chw', 'cwh', 'hcw', 'hwc', 'wch', 'whc'];

/** Images `[n, c, h, w]` in the shape `apart`, its dimensions in the order `perm`, and that in the shape `together`. */
interface Regrouping {
  apart: number[];
  perm: number[];
  together: number[];
}

/** Fractions where the extents are no whole blocks. */
export function regroupingOf({ n, c, h, w }: Extents, { kind, block, order }: BlockAttributes): Regrouping {
  const letters = [...order] as ('c' | 'h' | 'w')[];
  if (kind === 'space_to_depth') {
    const at = { c: 1, h: 3, w: 5 };
    return {
      apart: [n, c, h / block, block, w / block, block],
      perm: [0, ...letters.map((letter) => at[letter]), 2, 4],
      together: [n, c * block ** 2, h / block, w / block],
    };
  }
  const depth = c / block ** 2;
  const at = (letter: 'c' | 'h' | 'w') => 1 + letters.indexOf(letter);
  return {
    apart: [n, ...letters.map((letter) => (letter === 'c' ? depth : block)), h, w],
    perm: [0, at('c'), 4, at('h'), 5, at('w')],
    together: [n, depth, h * block, w * block],
  };
}

/** A view of images `[n, c, h, w]` so regrouped; undefined where they are no whole blocks. */
export function regrouped(view: View, { apart, perm, together }: Regrouping): View | undefined {
  const cut = apart.every(Number.isInteger) ? reshaped(view, apart) : undefined;
  return cut && reshaped(transposed(cut, perm), together);
}

const LAYOUTS: readonly (readonly Axis[])[] = [
  ['n', 'c', 'h', 'w'],
  ['n', 'h', 'w', 'c'],
];

/** Which regrouping a view shows of images, and its dimensions' axes once it is done; undefined where it is none. */
export function blocksIn(
  view: View,
  extents: Extents,
): { blocks: BlockAttributes; axes: readonly Axis[] } | undefined {
  const shown = JSON.stringify(view);
  const images = viewOf(LAYOUTS[0], extents);
  for (const block of new Set(view.flat().map(({ size }) => size)))
    for (const order of BLOCK_ORDERS)
      for (const kind of ['depth_to_space', 'space_to_depth'] as const) {
        const blocks = { kind, block, order };
        const made = regrouped(images, regroupingOf(extents, blocks));
        const axes = LAYOUTS.find(
          (layout) => made && JSON.stringify(layout.map((axis) => made[LAYOUTS[0].indexOf(axis)])) === shown,
        );
        if (axes) return { blocks, axes };
      }
  return undefined;
}
