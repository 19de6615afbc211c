import type { Builder, Value } from '../builder';
import { type Definition, define, dropRate, fourStages } from './define';

const EPS = 1e-6;

const convnextV2 = (name: string, width: number, layers: number[]): Definition =>
  define(
    name,
    {
      depths: fourStages(layers),
      dims: fourStages(
        layers.map((_, stage) => width << stage),
        4096,
      ),
      drop_path_rate: dropRate(0),
    },
    (net, x, { depths, dims, drop_path_rate }) => {
      const total = depths.reduce((a, b) => a + b, 0);
      let index = 0;
      let y = net.conv('stem.0', x, dims[0], 4, { stride: 4, padding: 0, bias: true });
      y = net.layerNorm('stem.1', y, EPS);
      depths.forEach((blocks, stage) => {
        if (stage > 0) y = downsample(net, `stages.${stage}.downsample`, y, dims[stage]);
        for (let i = 0; i < blocks; i++) {
          const drop = (drop_path_rate * index++) / Math.max(1, total - 1);
          y = block(net, `stages.${stage}.blocks.${i}`, y, drop);
        }
      });
      return net.head('head.fc', net.layerNorm('head.norm', net.globalAvgPool(y), EPS));
    },
  );

/** ConvNeXtV2 (Woo et al. 2023), timm's names; `convnextv2` is the class. */
export const convnextsV2 = [
  convnextV2('convnextv2', 96, [3, 3, 9, 3]),
  convnextV2('convnextv2_atto', 40, [2, 2, 6, 2]),
  convnextV2('convnextv2_femto', 48, [2, 2, 6, 2]),
  convnextV2('convnextv2_pico', 64, [2, 2, 6, 2]),
  convnextV2('convnextv2_nano', 80, [2, 2, 8, 2]),
  convnextV2('convnextv2_tiny', 96, [3, 3, 9, 3]),
];

/** ConvNeXt's block with global response normalisation in the place of the layer scale. */
function block(net: Builder, name: string, x: Value, drop: number): Value {
  const c = x.channels;
  let y = net.conv(`${name}.conv_dw`, x, c, 7, { groups: c, bias: true });
  y = net.layerNorm(`${name}.norm`, y, EPS);
  y = net.activation(net.linear(`${name}.mlp.fc1`, y, 4 * c), 'gelu');
  y = net.linear(`${name}.mlp.fc2`, net.globalResponseNorm(`${name}.mlp.grn`, y), c);
  return net.add(net.stochasticDepth(y, drop), x);
}

function downsample(net: Builder, name: string, x: Value, out: number): Value {
  const y = net.layerNorm(`${name}.0`, x, EPS);
  return net.conv(`${name}.1`, y, out, 2, { stride: 2, padding: 0, bias: true });
}
