import * as v from 'valibot';
import type { Builder, Value } from '../builder';
import { type Argument, count, type Definition, define, dropRate, positive } from './define';

/** A stage as torchvision's CNBlockConfig: channels in, channels out of the downsampling after it, layers. */
type Stage = [channels: number, out: number | null, layers: number];

/** Stages of which each takes what the one before gives. */
const stages = (fallback: Stage[]): Argument<Stage[]> => ({
  schema: v.pipe(
    v.array(v.strictTuple([count(4096), v.nullable(count(4096)), count(64)])),
    v.minLength(1),
    v.maxLength(8),
    v.check((list) => list.every(([c], i) => i === 0 || c === (list[i - 1][1] ?? list[i - 1][0]))),
  ),
  expects: 'one to eight lists [channels, channels of the next or null, layers]',
  fallback,
});

/** Four stages, each twice as wide as the one before. */
const doubling = (width: number, layers: number[]): Stage[] =>
  layers.map((n, i) => [width << i, i < layers.length - 1 ? width << (i + 1) : null, n]);

const EPS = 1e-6;

const convnext = (name: string, width: number, layers: number[], stochasticDepth = 0): Definition =>
  define(
    name,
    {
      blocks: stages(doubling(width, layers)),
      stochastic_depth_prob: dropRate(stochasticDepth),
      layer_scale: positive(1e-6),
    },
    (net, x, { blocks, stochastic_depth_prob, layer_scale }) => {
      let index = 0;
      let y = net.conv('features.0.0', x, blocks[0][0], 4, { stride: 4, padding: 0, bias: true });
      y = net.layerNorm(`features.${index++}.1`, y, EPS);
      const total = blocks.reduce((sum, [, , layers]) => sum + layers, 0);
      let depth = 0;
      for (const [, out, layers] of blocks) {
        const stage = `features.${index++}`;
        for (let i = 0; i < layers; i++) {
          const drop = (stochastic_depth_prob * depth++) / Math.max(1, total - 1);
          y = block(net, `${stage}.${i}`, y, layer_scale, drop);
        }
        if (out !== null) y = downsample(net, `features.${index++}`, y, out);
      }
      y = net.layerNorm('classifier.0', net.globalAvgPool(y), EPS);
      return net.head('classifier.2', y);
    },
  );

const TINY = [3, 3, 9, 3];
const SMALL = [3, 3, 27, 3];

/**
 * ConvNeXt (Liu et al. 2022), torchvision's names; `convnext` is the class, without stochastic depth by default. The
 * kinds below tiny are timm's.
 */
export const convnexts = [
  convnext('convnext', 96, TINY),
  convnext('convnext_atto', 40, [2, 2, 6, 2]),
  convnext('convnext_femto', 48, [2, 2, 6, 2]),
  convnext('convnext_pico', 64, [2, 2, 6, 2]),
  convnext('convnext_nano', 80, [2, 2, 8, 2]),
  convnext('convnext_tiny', 96, TINY, 0.1),
  convnext('convnext_small', 96, SMALL, 0.4),
  convnext('convnext_base', 128, SMALL, 0.5),
];

function block(net: Builder, name: string, x: Value, layerScale: number, drop: number): Value {
  const c = x.channels;
  const scale = `${name}.layer_scale`;
  net.vector(scale, [c, 1, 1], { constant: layerScale });
  let y = net.conv(`${name}.block.0`, x, c, 7, { groups: c, bias: true });
  y = net.layerNorm(`${name}.block.2`, y, EPS);
  y = net.activation(net.linear(`${name}.block.3`, y, 4 * c), 'gelu');
  y = net.linear(`${name}.block.5`, y, c);
  return net.add(net.stochasticDepth(net.scale(y, scale), drop), x);
}

function downsample(net: Builder, name: string, x: Value, out: number): Value {
  const y = net.layerNorm(`${name}.0`, x, EPS);
  return net.conv(`${name}.1`, y, out, 2, { stride: 2, padding: 0, bias: true });
}
