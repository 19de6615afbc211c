import type { Builder, Value } from '../builder';
import { channels, type Definition, define, dropRate, fourStages, positive } from './define';
import { EPS, patchStages, pointwiseHalf } from './patch-stages';

/** Orders of the recursion in the four stages, and what every depthwise result is multiplied by. */
const ORDERS = [2, 3, 4, 5];
const SCALE = 1 / 3;

const hornet = (name: string, width: number): Definition =>
  define(
    name,
    {
      depths: fourStages([2, 3, 18, 2]),
      base_dim: channels(width),
      drop_path_rate: dropRate(0),
      layer_scale_init_value: positive(1e-6),
    },
    (net, x, a) => {
      const dims = ORDERS.map((_, stage) => a.base_dim << stage);
      return patchStages(net, x, { ...a, dims }, (name, y, stage, drop) => {
        const scale = { constant: a.layer_scale_init_value };
        net.vector(`${name}.gamma1`, [y.channels], scale);
        net.vector(`${name}.gamma2`, [y.channels], scale);
        const gated = gatedConv(net, `${name}.gnconv`, net.layerNorm(`${name}.norm1`, y, EPS), ORDERS[stage]);
        const mixed = net.add(net.stochasticDepth(net.scale(gated, `${name}.gamma1`), drop), y);
        const half = pointwiseHalf(net, name, mixed, 'norm2', 'gamma2');
        return net.add(net.stochasticDepth(half, drop), mixed);
      });
    },
  );

/**
 * HorNet (Rao et al. 2022), the names of its authors (github.com/raoyongming/HorNet): the kinds with kernels of 7 x 7; those with
 * a global filter need a Fourier transform.
 */
export const hornets = [hornet('hornet_tiny_7x7', 64), hornet('hornet_small_7x7', 96)];

/**
 * The recursive gated convolution: of twice the channels one part is multiplied by ever wider parts of a depthwise convolution of
 * the rest, a pointwise convolution between.
 */
function gatedConv(net: Builder, name: string, x: Value, order: number): Value {
  const dims = Array.from({ length: order }, (_, i) => x.channels >> (order - 1 - i));
  const modules = ['proj_in', 'dwconv', 'proj_out', 'pws'].map((module) => `${name}.${module}`);
  return net.ordered(modules, () => {
    const both = net.conv(`${name}.proj_in`, x, 2 * x.channels, 1, { bias: true });
    const rest = net.slice(both, dims[0], both.channels);
    const options = { groups: rest.channels, bias: true };
    const gates = net.conv(`${name}.dwconv`, rest, rest.channels, 7, options);
    const from = (i: number) => dims.slice(0, i).reduce((a, b) => a + b, 0);
    const gate = (i: number) => net.slice(gates, from(i), from(i + 1));
    let y = net.mul(net.slice(both, 0, dims[0]), gate(0), SCALE);
    for (let i = 1; i < order; i++)
      y = net.mul(net.conv(`${name}.pws.${i - 1}`, y, dims[i], 1, { bias: true }), gate(i), SCALE);
    return net.conv(`${name}.proj_out`, y, x.channels, 1, { bias: true });
  });
}
