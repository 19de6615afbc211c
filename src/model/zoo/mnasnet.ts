import type { Activation } from '../../ops/activation';
import type { Builder, ConvOptions, Value } from '../builder';
import { makeDivisible } from './blocks';
import { type Definition, define, dropRate, stemStride } from './define';

/** Channels, kernel, stride of the first block, expansion, blocks. */
const STACKS = [
  [24, 3, 2, 3, 3],
  [40, 5, 2, 3, 3],
  [80, 5, 2, 6, 3],
  [96, 3, 1, 6, 2],
  [192, 5, 2, 6, 4],
  [320, 3, 1, 6, 1],
];

const norm = { momentum: 3e-4 };

const mnasnet = (name: string, width: number): Definition =>
  define(name, { dropout: dropRate(0.2), stem_stride: stemStride }, (net, x, { dropout, stem_stride }) => {
    const stem = makeDivisible(32 * width);
    let y = convNorm(net, 'layers', 0, x, stem, 3, { stride: stem_stride }, 'relu');
    y = convNorm(net, 'layers', 3, y, stem, 3, { groups: stem }, 'relu');
    y = convNorm(net, 'layers', 6, y, makeDivisible(16 * width), 1);
    STACKS.forEach(([channels, kernel, stride, expansion, blocks], s) => {
      for (let i = 0; i < blocks; i++) {
        const name = `layers.${s + 8}.${i}.layers`;
        const out = makeDivisible(channels * width);
        y = invertedResidual(net, name, y, out, kernel, i === 0 ? stride : 1, expansion);
      }
    });
    y = convNorm(net, 'layers', 14, y, 1280, 1, {}, 'relu');
    return net.head('classifier.1', net.dropout(net.globalAvgPool(y), dropout));
  });

/** MNASNet-B1 (Tan et al. 2019), torchvision's names. */
export const mnasnets = [
  mnasnet('mnasnet0_5', 0.5),
  mnasnet('mnasnet0_75', 0.75),
  mnasnet('mnasnet1_0', 1),
  mnasnet('mnasnet1_3', 1.3),
];

/** A convolution at `<name>.<index>` and its batch norm at the next index. */
function convNorm(
  net: Builder,
  name: string,
  index: number,
  x: Value,
  out: number,
  kernel: number,
  options: ConvOptions = {},
  act: Activation = 'none',
): Value {
  const y = net.conv(`${name}.${index}`, x, out, kernel, options);
  return net.batchNorm(`${name}.${index + 1}`, y, act, norm);
}

function invertedResidual(
  net: Builder,
  name: string,
  x: Value,
  out: number,
  kernel: number,
  stride: number,
  expansion: number,
): Value {
  const middle = x.channels * expansion;
  let y = convNorm(net, name, 0, x, middle, 1, {}, 'relu');
  y = convNorm(net, name, 3, y, middle, kernel, { stride, groups: middle }, 'relu');
  y = convNorm(net, name, 6, y, out, 1);
  return stride === 1 && x.channels === out ? net.add(x, y) : y;
}
