import type { Builder, Value } from '../builder';
import { type Definition, define, stemStride } from './define';

const BLOCKS = [4, 8, 4];

/**
 * ShuffleNetV2 (Ma et al. 2018), torchvision's names. With `stem_stride` 1 the max pooling after the stem falls away
 * too, so that an image of 32 pixels enters the stages at 32.
 */
const shufflenetV2 = (size: string, stem: number, stages: number[], last: number): Definition =>
  define(`shufflenet_v2_${size}`, { stem_stride: stemStride }, (net, x, { stem_stride }) => {
    let y = convNorm(net, 'conv1', 0, x, stem, { kernel: 3, stride: stem_stride, act: 'relu' });
    if (stem_stride === 2) y = net.maxPool(y, 3, { stride: 2, padding: 1 });
    stages.forEach((channels, s) => {
      for (let i = 0; i < BLOCKS[s]; i++) {
        y = (i === 0 ? reductionBlock : splitBlock)(net, `stage${s + 2}.${i}`, y, channels);
      }
    });
    y = convNorm(net, 'conv5', 0, y, last, { act: 'relu' });
    return net.head('fc', net.globalAvgPool(y));
  });

export const shufflenets = [
  shufflenetV2('x0_5', 24, [48, 96, 192], 1024),
  shufflenetV2('x1_0', 24, [116, 232, 464], 1024),
  shufflenetV2('x1_5', 24, [176, 352, 704], 1024),
  shufflenetV2('x2_0', 24, [244, 488, 976], 2048),
];

/** A convolution at `<name>.<index>` and its batch norm at the next index. */
function convNorm(
  net: Builder,
  name: string,
  index: number,
  x: Value,
  out: number,
  { kernel = 1, stride = 1, groups = 1, act = 'none' as 'none' | 'relu' } = {},
): Value {
  const y = net.conv(`${name}.${index}`, x, out, kernel, { stride, groups });
  return net.batchNorm(`${name}.${index + 1}`, y, act);
}

/** Both branches see all channels and halve the image. */
function reductionBlock(net: Builder, name: string, x: Value, channels: number): Value {
  const inputs = x.channels;
  const left = convNorm(net, `${name}.branch1`, 0, x, inputs, { kernel: 3, stride: 2, groups: inputs });
  const joined = [
    convNorm(net, `${name}.branch1`, 2, left, channels / 2, { act: 'relu' }),
    branch(net, `${name}.branch2`, x, channels / 2, 2),
  ];
  return net.shuffle(net.concat(joined), 2);
}

/** Half of the channels pass as they are. */
function splitBlock(net: Builder, name: string, x: Value, channels: number): Value {
  const half = channels / 2;
  const right = branch(net, `${name}.branch2`, net.slice(x, half, channels), half, 1);
  return net.shuffle(net.concat([net.slice(x, 0, half), right]), 2);
}

function branch(net: Builder, name: string, x: Value, out: number, stride: number): Value {
  let y = convNorm(net, name, 0, x, out, { act: 'relu' });
  y = convNorm(net, name, 3, y, out, { kernel: 3, stride, groups: out });
  return convNorm(net, name, 5, y, out, { act: 'relu' });
}
