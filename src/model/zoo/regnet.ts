import type { Builder, Value } from '../builder';
import { convNorm, squeezeExcitation } from './blocks';
import { type Definition, define, stemStride } from './define';

/**
 * RegNet (Radosavovic et al. 2020), torchvision's names: blocks and channels of four stages, channels of a group. Those
 * called Y squeeze and excite.
 */
const regnet = (name: string, blocks: number[], widths: number[], groupWidth: number): Definition =>
  define(name, { stem_stride: stemStride }, (net, x, { stem_stride }) => {
    let y = net.conv('stem.0', x, 32, 3, { stride: stem_stride });
    y = net.batchNorm('stem.1', y, 'relu');
    widths.forEach((channels, stage) => {
      const block = `trunk_output.block${stage + 1}.block${stage + 1}`;
      for (let i = 0; i < blocks[stage]; i++) {
        const stride = i === 0 ? 2 : 1;
        y = bottleneck(net, `${block}-${i}`, y, channels, stride, groupWidth, name.startsWith('regnet_y'));
      }
    });
    return net.head('fc', net.globalAvgPool(y));
  });

export const regnets = [
  regnet('regnet_x_400mf', [1, 2, 7, 12], [32, 64, 160, 400], 16),
  regnet('regnet_x_800mf', [1, 3, 7, 5], [64, 128, 288, 672], 16),
  regnet('regnet_x_1_6gf', [2, 4, 10, 2], [72, 168, 408, 912], 24),
  regnet('regnet_y_400mf', [1, 3, 6, 6], [48, 104, 208, 440], 8),
  regnet('regnet_y_800mf', [1, 3, 8, 2], [64, 144, 320, 784], 16),
  regnet('regnet_y_1_6gf', [2, 6, 17, 2], [48, 120, 336, 888], 24),
];

function bottleneck(
  net: Builder,
  name: string,
  x: Value,
  out: number,
  stride: number,
  groupWidth: number,
  squeezes: boolean,
): Value {
  const projects = stride !== 1 || x.channels !== out;
  const shortcut = projects ? convNorm(net, `${name}.proj`, x, out, 1, { stride }) : x;
  let y = convNorm(net, `${name}.f.a`, x, out, 1, { act: 'relu' });
  y = convNorm(net, `${name}.f.b`, y, out, 3, { stride, groups: out / groupWidth, act: 'relu' });
  if (squeezes) y = squeezeExcitation(net, `${name}.f.se`, y, Math.round(x.channels / 4), 'relu', 'sigmoid');
  y = convNorm(net, `${name}.f.c`, y, out, 1);
  return net.activation(net.add(shortcut, y), 'relu');
}
