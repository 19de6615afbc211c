import { UserError } from '../errors';
import type { Graph, Op } from '../graph/graph';
import { type Constants, type Dispatch, workgroupsFor } from '../graph/plan';
import { elements, product, type Tensor } from '../graph/tensor';
import { splitsFor } from './reduce';

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
  g: Graph,
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
  g.add(forward, name, [basis, map], [wt], attrs);
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

/** Which family of shaders: a map a plane, a map over all planes of a depthwise basis, or anything. */
function family(basis: Tensor, map: Tensor): 'plane' | 'depthwise' | 'general' {
  const [kh, kw, i, o] = basis.shape;
  const p = map.shape[2];
  if (p === 1) return 'plane';
  // the depthwise shaders hold a kernel's taps in registers
  return i === 1 && p === o && kh * kw <= 49 ? 'depthwise' : 'general';
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

const flopsOf = (basis: Tensor, map: Tensor) => 2 * product(map.shape) * basis.shape[0] * basis.shape[1];

const forward: Op = {
  name: 'refocus',
  lower: (node, g) => {
    const [basis, map] = node.inputs as [Tensor, Tensor];
    const { identity } = node.attrs as RefocusAttributes;
    const [wt] = node.outputs;
    const constants = geometry(basis, map);
    const flops = flopsOf(basis, map);
    switch (family(basis, map)) {
      case 'plane':
        return [applyPlane(basis, map, wt, { ...constants, IDENTITY: identity, TRANSPOSED: false }, flops)];
      case 'depthwise': {
        const [kh, kw, , c] = basis.shape;
        const rows = Math.max(1, Math.min(kh, Math.floor(28 / kw)));
        const threads = Math.ceil(kh / rows) * (basis.padded[3] / 4);
        const splits = splitsFor(c, threads, g.tuning.threads);
        const partial = g.tensor(`${node.name} partial`, [splits, elements(wt)]);
        return [
          {
            shader: 'refocus/depthwise_forward',
            constants: { ...constants, ROWS: rows, SPLITS: splits },
            reads: { basis, map },
            writes: { partial },
            workgroups: workgroupsFor(threads * splits),
            flops,
          },
          finish(partial, basis, wt, splits, identity),
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
  backward: ({ inputs, outputs: [wt], attrs, name }, tape) => {
    const [basis, map] = inputs as [Tensor, Tensor];
    const dw = tape.gradient(wt)!;
    tape.contribute(map, ({ out }) => tape.graph.add(backwardMap, name, [basis, dw], [out], attrs));
    tape.contribute(basis, ({ out }) => tape.graph.add(backwardBasis, name, [map, dw], [out], attrs));
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

const backwardMap: Op = {
  name: 'refocus_backward_map',
  lower: ({ inputs, outputs: [dmap] }) => {
    const [basis, dw] = inputs as [Tensor, Tensor];
    const threads = {
      plane: elements(dmap) / 4,
      depthwise: (basis.shape[3] * basis.padded[3]) / 4,
      general: elements(dmap),
    };
    const kind = family(basis, dmap);
    return [
      {
        shader: kind === 'general' ? 'refocus/backward_map' : `refocus/${kind}_backward_map`,
        constants: geometry(basis, dmap),
        reads: { basis, dw },
        writes: { dmap },
        workgroups: workgroupsFor(threads[kind]),
        flops: flopsOf(basis, dmap),
      },
    ];
  },
};

const backwardBasis: Op = {
  name: 'refocus_backward_basis',
  lower: (node, g) => {
    const [map, dw] = node.inputs as [Tensor, Tensor];
    const { identity } = node.attrs as RefocusAttributes;
    const [dbasis] = node.outputs;
    const constants = geometry(dbasis, map);
    const flops = flopsOf(dbasis, map);
    switch (family(dbasis, map)) {
      case 'plane':
        return [applyPlane(dw, map, dbasis, { ...constants, IDENTITY: identity, TRANSPOSED: true }, flops)];
      case 'depthwise': {
        const channels = dbasis.padded[3];
        const splits = Math.min(16, channels / 4);
        const partial = g.tensor(`${node.name} partial`, [splits, elements(dbasis)]);
        return [
          {
            shader: 'refocus/depthwise_backward_basis',
            constants: { ...constants, SPLITS: splits },
            reads: { map, dw },
            writes: { partial },
            workgroups: workgroupsFor(channels * splits),
            flops,
          },
          finish(partial, dw, dbasis, splits, identity),
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
