import type { Builder, Value } from '../builder';
import { type Definition, define, stemStride } from './define';

/**
 * ResNet of basic blocks for ImageNet (He et al. 2015), torchvision's names. With `stem_stride` 1 the max pooling after
 * the stem falls away too, so that an image of 32 pixels enters the stages at 32.
 */
const resnet = (depth: number, blocks: number[]): Definition =>
  define(`resnet${depth}`, { stem_stride: stemStride }, (net, x, { stem_stride }) => {
    let y = net.batchNorm('bn1', net.conv('conv1', x, 64, 7, { stride: stem_stride }), 'relu');
    if (stem_stride === 2) y = net.maxPool(y, 3, { stride: 2, padding: 1 });
    [64, 128, 256, 512].forEach((channels, stage) => {
      for (let i = 0; i < blocks[stage]; i++) {
        y = basicBlock(net, `layer${stage + 1}.${i}`, y, channels, stage > 0 && i === 0 ? 2 : 1);
      }
    });
    return net.head('fc', net.globalAvgPool(y));
  });

export const resnets = [resnet(18, [2, 2, 2, 2]), resnet(34, [3, 4, 6, 3])];

function basicBlock(net: Builder, name: string, x: Value, channels: number, stride: number): Value {
  let y = net.batchNorm(`${name}.bn1`, net.conv(`${name}.conv1`, x, channels, 3, { stride }), 'relu');
  y = net.batchNorm(`${name}.bn2`, net.conv(`${name}.conv2`, y, channels, 3));
  let shortcut = x;
  if (stride !== 1 || x.channels !== channels) {
    shortcut = net.conv(`${name}.downsample.0`, x, channels, 1, { stride });
    shortcut = net.batchNorm(`${name}.downsample.1`, shortcut);
  }
  return net.activation(net.add(y, shortcut), 'relu');
}
