import * as v from 'valibot';
import type { Builder, Value } from '../builder';
import { type Argument, count, type Definition, define } from './define';

/** 6n + 2: three stages of n blocks. */
const depthArgument = (fallback: number): Argument<number> => ({
  schema: v.pipe(
    count(1202),
    v.check((depth) => depth > 2 && depth % 6 === 2),
  ),
  expects: '8, 14, 20 and so on up to 1202',
  fallback,
});

/**
 * ResNet for CIFAR (He et al. 2015, section 4.2): depth 6n + 2, shortcut "A" (subsample by two, pad channels with
 * zeros), the state-dict names of github.com/akamaster/pytorch_resnet_cifar10. `resnet_cifar` takes any depth.
 */
const resnetCifar = (name: string, depth: number): Definition =>
  define(
    name,
    { depth: depthArgument(depth) },
    (net, x, { depth }) => {
      let y = net.batchNorm('bn1', net.conv('conv1', x, 16, 3), 'relu');
      [16, 32, 64].forEach((channels, stage) => {
        for (let i = 0; i < (depth - 2) / 6; i++) {
          y = basicBlock(net, `layer${stage + 1}.${i}`, y, channels, stage > 0 && i === 0 ? 2 : 1);
        }
      });
      return net.head('linear', net.globalAvgPool(y));
    },
    'cifar',
  );

export const cifarResnets = [
  resnetCifar('resnet_cifar', 20),
  ...[20, 32, 44, 56, 110].map((depth) => resnetCifar(`resnet${depth}_cifar`, depth)),
];

function basicBlock(net: Builder, name: string, x: Value, channels: number, stride: number): Value {
  let y = net.batchNorm(`${name}.bn1`, net.conv(`${name}.conv1`, x, channels, 3, { stride }), 'relu');
  y = net.batchNorm(`${name}.bn2`, net.conv(`${name}.conv2`, y, channels, 3));
  const shortcut = stride === 1 ? x : net.subsample(x, stride, channels);
  return net.activation(net.add(y, shortcut), 'relu');
}
