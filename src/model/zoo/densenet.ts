import type { Builder, Value } from '../builder';
import { channels, type Definition, define, dropRate, stages, stemStride } from './define';

const densenet = (name: string, blocks: number[], growth = 32, features = 64): Definition =>
  define(
    name,
    {
      growth_rate: channels(growth),
      block_config: stages(blocks),
      num_init_features: channels(features),
      bn_size: channels(4),
      drop_rate: dropRate(0),
      stem_stride: stemStride,
    },
    (net, x, { growth_rate, block_config, num_init_features, bn_size, drop_rate, stem_stride }) => {
      let y = net.conv('features.conv0', x, num_init_features, 7, { stride: stem_stride });
      y = net.batchNorm('features.norm0', y, 'relu');
      if (stem_stride === 2) y = net.maxPool(y, 3, { stride: 2, padding: 1 });
      block_config.forEach((layers, b) => {
        for (let i = 1; i <= layers; i++) {
          const name = `features.denseblock${b + 1}.denselayer${i}`;
          const grown = denseLayer(net, name, y, growth_rate, bn_size);
          y = net.concat([y, net.dropout(grown, drop_rate)]);
        }
        if (b < block_config.length - 1) y = transition(net, `features.transition${b + 1}`, y);
      });
      y = net.batchNorm('features.norm5', y, 'relu');
      return net.head('classifier', net.globalAvgPool(y));
    },
  );

const SMALLEST = [6, 12, 24, 16];

/**
 * DenseNet-BC (Huang et al. 2017), torchvision's names; `densenet` without arguments is DenseNet-121. With
 * `stem_stride` 1 the max pooling after the stem falls away too.
 */
export const densenets = [
  densenet('densenet', SMALLEST),
  densenet('densenet121', SMALLEST),
  densenet('densenet161', [6, 12, 36, 24], 48, 96),
  densenet('densenet169', [6, 12, 32, 32]),
  densenet('densenet201', [6, 12, 48, 32]),
];

function denseLayer(net: Builder, name: string, x: Value, growth: number, bottleneck: number): Value {
  let y = net.batchNorm(`${name}.norm1`, x, 'relu');
  y = net.conv(`${name}.conv1`, y, bottleneck * growth, 1);
  y = net.batchNorm(`${name}.norm2`, y, 'relu');
  return net.conv(`${name}.conv2`, y, growth, 3);
}

function transition(net: Builder, name: string, x: Value): Value {
  const y = net.batchNorm(`${name}.norm`, x, 'relu');
  return net.avgPool(net.conv(`${name}.conv`, y, Math.floor(x.channels / 2), 1), 2, { stride: 2 });
}
