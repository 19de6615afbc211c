import { UserError } from '../../errors';
import type { Constants, Dispatch, GraphBuilder, Op } from '../../graph/ir';
import { elements, product, type Tensor } from '../../graph/tensor';
import type { Tuning } from '../../graph/tuning';
import { workgroupsFor } from '../../graph/workgroups';
import { splitsFor } from '../blocks';

export interface RefocusAttributes {
  /** groups of the convolution that the basis belongs to */
  groups: number;
  /** the first term of equation 1 (arXiv 2310.10563); off only as an ablation */
  identity: boolean;
}

/**
 * The refocusing transformation with its map as a tensor, W_t = identity * W_b + conv2d(W_b seen as one image of planes, W_r).
 * basis HWIO `[kh, kw, i, o]`; map `[k, k, P, i, o]` as `mapLayout` lays it out, P = groups planes a map group; gives a
 * weight of the basis' shape. Gradients go to the map, and to the basis where it trains too.
 */
export function refocusMap(
  g: GraphBuilder,
  name: string,
  basis: Tensor,
  map: Tensor,
  attrs: RefocusAttributes,
): Tensor {
  const [kh, kw, i, o] = basis.shape;
  const [k, k2, p, mi, mo] = map.shape;
  if (k !== k2 || k % 2 === 0 || k > Math.min(kh, kw) || p !== attrs.groups || mi !== i || mo !== o) {
    throw new UserError(
      `${name}: a refocusing map of ${o * i} x ${p} x ${k} x ${k2} does not fit a basis of ${o} x ${i} x ${kh} x ${kw} in ${attrs.groups} groups: it must be ${o * i} x ${attrs.groups} x k x k with k odd and at most ${Math.min(kh, kw)}.`,
    );
  }
  const wt = g.tensor(name, basis.shape, { padded: basis.padded });
  g.add(forward, name, { basis, map }, { wt }, attrs);
  return wt;
}

/**
 * Which form of a layer's map is smaller, where both are exact (SGD and a frozen basis), from its taps T = kh * kw, the P
 * planes of a map group and the map's kernel k. A plane of the dense form holds P k^2 weights, their gradient and
 * momentum; one of the factored form 3 T numbers and its share T^2 / P of a Gram matrix.
 */
export function chooseRefocusPath(taps: number, planes: number, kernel: number): 'factored' | 'dense' {
  return 3 * taps + taps ** 2 / planes < 3 * planes * kernel ** 2 ? 'factored' : 'dense';
}

/** Which family of shaders: a map a plane, a map over all planes of a depthwise basis, a large one of these, or anything. */
function family(basis: Tensor, map: Tensor): 'plane' | 'depthwise' | 'depthwise_large' | 'general' {
  const [kh, kw, i, o] = basis.shape;
  const p = map.shape[2];
  if (p === 1) return 'plane';
  if (i !== 1 || p !== o) return 'general';
  // the shaders of small kernels hold a kernel's taps in registers
  return kh * kw <= 49 ? 'depthwise' : 'depthwise_large';
}

function geometry(basis: Tensor, map: Tensor): Constants {
  const [KH, KW, I, O] = basis.shape;
  const [, , IP, OP] = basis.padded;
  const [K, , P] = map.shape;
  switch (family(basis, map)) {
    case 'plane':
      return { KH, KW, K, Q4: (IP * OP) / 4 };
    case 'depthwise':
      return { KH, KW, K, C: O, C4: OP / 4 };
    default:
      return { KH, KW, K, P, I, IP, O, OP };
  }
}

/** Multiply-adds that the text of a kernel is unrolled to at most, and sums that its thread keeps. */
const UNROLLED = 256;
const KEPT = 28;

/**
 * How a kernel of a depthwise map is cut: tiles of rows of what it makes (taps; in backward_map the map's own), and splits
 * of what a thread goes through, with the threads that makes.
 */
function depthwiseTiles(
  basis: Tensor,
  map: Tensor,
  pass: 'forward' | 'backwardMap' | 'backwardBasis',
  tuning: Tuning,
): { constants: Constants; splits: number; threads: number } {
  const [kh, kw, , c] = basis.shape;
  const k = map.shape[0];
  const [rows, columns, others] = pass === 'backwardMap' ? [k, k, kh] : [kh, kw, k];
  const perRow = (kh * kw * k * k) / rows;
  const ROWS_PER_TILE = Math.max(
    1,
    Math.min(rows, Math.floor(KEPT / columns), Math.floor(UNROLLED / perRow)),
  );
  const TILES = Math.ceil(rows / ROWS_PER_TILE);
  const channels = basis.padded[3];
  const [length, owners] = pass === 'backwardBasis' ? [channels / 4, channels] : [c, channels / 4];
  const splits = splitsFor(length, owners * TILES, tuning.threads);
  return {
    constants: {
      ...geometry(basis, map),
      ROWS_PER_TILE,
      TILES,
      WINDOW_ROWS: ROWS_PER_TILE + others - 1,
      SPLITS: splits,
    },
    splits,
    threads: owners * TILES * splits,
  };
}

/** Taps of a row of a large kernel that a thread makes: at most eight, fewer where there would be too few threads. */
function tapsPerTile(basis: Tensor, { threads }: Tuning): number {
  const [kh, kw] = basis.shape;
  const taps = Math.min(8, Math.floor((kh * kw * basis.padded[3]) / 4 / threads));
  return Math.ceil(kw / Math.ceil(kw / Math.max(1, taps)));
}

const flopsOf = (basis: Tensor, map: Tensor) => 2 * product(map.shape) * basis.shape[0] * basis.shape[1];

interface Forward {
  inputs: { basis: Tensor; map: Tensor };
  outputs: { wt: Tensor };
  attrs: RefocusAttributes;
}

const forward: Op<Forward> = {
  name: 'refocus',
  lower: (node, { tuning, temporary }) => {
    const { basis, map } = node.inputs;
    const { identity } = node.attrs;
    const { wt } = node.outputs;
    const constants = geometry(basis, map);
    const flops = flopsOf(basis, map);
    switch (family(basis, map)) {
      case 'plane':
        return [applyPlane(basis, map, wt, { ...constants, IDENTITY: identity, TRANSPOSED: false }, flops)];
      case 'depthwise': {
        const tiles = depthwiseTiles(basis, map, 'forward', tuning);
        const partial = temporary(`${node.name} partial`, [tiles.splits, elements(wt)]);
        return [
          {
            shader: 'refocus/depthwise_forward',
            constants: tiles.constants,
            reads: { basis, map },
            writes: { partial },
            workgroups: workgroupsFor(tiles.threads),
            flops,
          },
          finish(partial, basis, wt, tiles.splits, identity),
        ];
      }
      case 'depthwise_large': {
        const taps = tapsPerTile(basis, tuning);
        const [kh, kw] = basis.shape;
        return [
          {
            shader: 'refocus/depthwise_forward_large',
            constants: {
              ...constants,
              TAPS_PER_TILE: taps,
              WINDOW: taps + map.shape[0] - 1,
              IDENTITY: identity,
            },
            reads: { basis, map },
            writes: { wt },
            workgroups: workgroupsFor((kh * Math.ceil(kw / taps) * basis.padded[3]) / 4),
            flops,
          },
        ];
      }
      default:
        return [
          {
            shader: 'refocus/forward',
            constants: { ...constants, IDENTITY: identity },
            reads: { basis, map },
            writes: { wt },
            workgroups: workgroupsFor(elements(wt)),
            flops,
          },
        ];
    }
  },
  backward: ({ inputs: { basis, map }, outputs: { wt }, attrs, name }, tape) => {
    const { graph } = tape;
    const dw = tape.gradient(wt)!;
    tape.contribute(map, ({ out }) => graph.add(backwardMap, name, { basis, dw }, { dmap: out }, attrs));
    tape.contribute(basis, ({ out }) => graph.add(backwardBasis, name, { map, dw }, { dbasis: out }, attrs));
  },
};

function applyPlane(x: Tensor, map: Tensor, out: Tensor, constants: Constants, flops: number): Dispatch {
  return {
    shader: 'refocus/plane_apply',
    constants,
    reads: { x, map },
    writes: { out },
    workgroups: workgroupsFor(elements(out) / 4),
    flops,
  };
}

function finish(partial: Tensor, x: Tensor, out: Tensor, splits: number, identity: boolean): Dispatch {
  return {
    shader: 'refocus/finish',
    constants: { SIZE: elements(out) / 4, SPLITS: splits, IDENTITY: identity },
    reads: { partial, x },
    writes: { out },
    workgroups: workgroupsFor(elements(out) / 4),
    flops: elements(partial),
  };
}

const BACKWARD_MAP = {
  plane: 'refocus/plane_backward_map',
  depthwise: 'refocus/depthwise_backward_map',
  depthwise_large: 'refocus/depthwise_backward_map_large',
  general: 'refocus/backward_map',
};

interface BackwardMap {
  inputs: { basis: Tensor; dw: Tensor };
  outputs: { dmap: Tensor };
  attrs: RefocusAttributes;
}

const backwardMap: Op<BackwardMap> = {
  name: 'refocus_backward_map',
  lower: ({ inputs: { basis, dw }, outputs: { dmap } }, { tuning }) => {
    const kind = family(basis, dmap);
    const perThread = { plane: 4, depthwise_large: 4 * dmap.shape[0] ** 2, general: 1 };
    const { constants, threads } =
      kind === 'depthwise'
        ? depthwiseTiles(basis, dmap, 'backwardMap', tuning)
        : { constants: geometry(basis, dmap), threads: elements(dmap) / perThread[kind] };
    return [
      {
        shader: BACKWARD_MAP[kind],
        constants,
        reads: { basis, dw },
        writes: { dmap },
        workgroups: workgroupsFor(threads),
        flops: flopsOf(basis, dmap),
      },
    ];
  },
};

interface BackwardBasis {
  inputs: { map: Tensor; dw: Tensor };
  outputs: { dbasis: Tensor };
  attrs: RefocusAttributes;
}

const backwardBasis: Op<BackwardBasis> = {
  name: 'refocus_backward_basis',
  lower: (node, { tuning, temporary }) => {
    const { map, dw } = node.inputs;
    const { identity } = node.attrs;
    const { dbasis } = node.outputs;
    const constants = geometry(dbasis, map);
    const flops = flopsOf(dbasis, map);
    switch (family(dbasis, map)) {
      case 'plane':
        return [applyPlane(dw, map, dbasis, { ...constants, IDENTITY: identity, TRANSPOSED: true }, flops)];
      case 'depthwise': {
        const tiles = depthwiseTiles(dbasis, map, 'backwardBasis', tuning);
        const partial = temporary(`${node.name} partial`, [tiles.splits, elements(dbasis)]);
        return [
          {
            shader: 'refocus/depthwise_backward_basis',
            constants: tiles.constants,
            reads: { map, dw },
            writes: { partial },
            workgroups: workgroupsFor(tiles.threads),
            flops,
          },
          finish(partial, dw, dbasis, tiles.splits, identity),
        ];
      }
      default:
        return [
          {
            shader: 'refocus/backward_basis',
            constants: { ...constants, IDENTITY: identity },
            reads: { map, dw },
            writes: { dbasis },
            workgroups: workgroupsFor(elements(dbasis)),
            flops,
          },
        ];
    }
  },
};
