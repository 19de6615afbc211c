import * as v from 'valibot';
import type { Builder, Value } from '../builder';
import { type Argument, choice, count, type Definition, define } from './define';

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
 * ResNet for CIFAR (He et al. 2015, section 4.2): depth 6n + 2, arguments and state-dict names of
 * github.com/akamaster/pytorch_resnet_cifar10. `option` says what shortcuts that change the size do: "A" subsamples by two and pads
 * channels with zeros, "B" is a convolution of 1 x 1. `resnet_cifar` takes any depth.
 */
const resnetCifar = (name: string, depth: number): Definition =>
  define(
    name,
    { depth: depthArgument(depth), option: choice(['A', 'B'], 'A') },
    (net, x, { depth, option }) => {
      const shortcut = option === 'A' ? subsampled : projected;
      let y = net.batchNorm('bn1', net.conv('conv1', x, 16, 3), 'relu');
      [16, 32, 64].forEach((channels, stage) => {
        for (let i = 0; i < (depth - 2) / 6; i++) {
          const name = `layer${stage + 1}.${i}`;
          y = basicBlock(net, name, y, channels, stage > 0 && i === 0 ? shortcut : undefined);
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

/** What stands beside the two convolutions of a block that halves the image. */
type Shortcut = (net: Builder, name: string, x: Value, channels: number) => Value;

const subsampled: Shortcut = (net, _, x, channels) => net.subsample(x, 2, channels);

const projected: Shortcut = (net, name, x, channels) =>
  net.batchNorm(`${name}.shortcut.1`, net.conv(`${name}.shortcut.0`, x, channels, 1, { stride: 2 }));

function basicBlock(net: Builder, name: string, x: Value, channels: number, shortcut?: Shortcut): Value {
  const stride = shortcut ? 2 : 1;
  let y = net.batchNorm(`${name}.bn1`, net.conv(`${name}.conv1`, x, channels, 3, { stride }), 'relu');
  y = net.batchNorm(`${name}.bn2`, net.conv(`${name}.conv2`, y, channels, 3));
  return net.activation(net.add(y, shortcut ? shortcut(net, name, x, channels) : x), 'relu');
}
