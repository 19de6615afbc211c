import type { Activation } from '../../ops/activation';
import type { Builder, Value } from '../builder';
import { channels, choice, type Definition, define, dropRate, positive, stages } from './define';

/** The activation of the pointwise halves, torch.nn's names. */
const ACTIVATIONS = { GELU: 'gelu', RELU: 'relu' } as const satisfies Record<string, Activation>;

const fasternet = (
  name: string,
  width: number,
  layers: number[],
  act: keyof typeof ACTIVATIONS,
  dropPath: number,
): Definition =>
  define(
    name,
    {
      embed_dim: channels(width),
      depths: stages(layers),
      mlp_ratio: positive(2),
      n_div: channels(4),
      feature_dim: channels(1280),
      drop_path_rate: dropRate(dropPath),
      act_layer: choice<keyof typeof ACTIVATIONS>(['RELU', 'GELU'], act),
    },
    (net, x, a) => {
      const act = ACTIVATIONS[a.act_layer];
      const total = a.depths.reduce((sum, n) => sum + n, 0);
      let y = net.conv('patch_embed.proj', x, a.embed_dim, 4, { stride: 4, padding: 0 });
      y = net.batchNorm('patch_embed.norm', y);
      let index = 0;
      a.depths.forEach((blocks, stage) => {
        const name = `stages.${stage}`;
        net.ordered([`${name}.blocks`, `${name}.downsample`], () => {
          if (stage > 0) y = merging(net, `${name}.downsample`, y);
          for (let i = 0; i < blocks; i++) {
            const drop = (a.drop_path_rate * index++) / Math.max(1, total - 1);
            y = block(net, `${name}.blocks.${i}`, y, { ...a, act, drop });
          }
        });
      });
      y = net.activation(net.conv('conv_head', net.globalAvgPool(y), a.feature_dim, 1), act);
      return net.head('classifier', y);
    },
  );

/** FasterNet (Chen et al. 2023), timm's names. */
export const fasternets = [
  fasternet('fasternet_t0', 40, [1, 2, 8, 2], 'GELU', 0),
  fasternet('fasternet_t1', 64, [1, 2, 8, 2], 'GELU', 0.02),
  fasternet('fasternet_t2', 96, [1, 2, 8, 2], 'RELU', 0.05),
  fasternet('fasternet_s', 128, [1, 2, 13, 2], 'RELU', 0.1),
  fasternet('fasternet_m', 144, [3, 4, 18, 3], 'RELU', 0.2),
];

interface BlockOptions {
  mlp_ratio: number;
  n_div: number;
  act: Activation;
  drop: number;
}

/** A partial convolution, of the first channels alone, and two pointwise ones. */
function block(net: Builder, name: string, x: Value, { mlp_ratio, n_div, act, drop }: BlockOptions): Value {
  const some = Math.floor(x.channels / n_div);
  const hidden = Math.floor(x.channels * mlp_ratio);
  const mixing = `${name}.spatial_mixing`;
  const branch = net.ordered([`${name}.mlp`, mixing], () => {
    const convolved = net.conv(`${mixing}.partial_conv3`, net.slice(x, 0, some), some, 3);
    const y = net.conv(`${name}.mlp.0`, net.replace(x, convolved), hidden, 1);
    return net.conv(`${name}.mlp.3`, net.batchNorm(`${name}.mlp.1`, y, act), x.channels, 1);
  });
  return net.add(net.stochasticDepth(branch, drop), x);
}

function merging(net: Builder, name: string, x: Value): Value {
  const y = net.conv(`${name}.reduction`, x, 2 * x.channels, 2, { stride: 2, padding: 0 });
  return net.batchNorm(`${name}.norm`, y);
}
