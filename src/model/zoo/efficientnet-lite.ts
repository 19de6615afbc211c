import type { Builder, Value } from '../builder';
import { define, dropRate, stemStride } from './define';
import { STAGES } from './efficientnet';

const BLOCKS = STAGES.reduce((sum, [, , , , blocks]) => sum + blocks, 0);

/** EfficientNet-Lite0: EfficientNet-B0 without squeezing and with ReLU6, timm's names (`efficientnet_lite0`). */
export const efficientnetLite0 = define(
  'efficientnet_lite0',
  { drop_rate: dropRate(0.2), drop_path_rate: dropRate(0.2), stem_stride: stemStride },
  (net, x, { drop_rate, drop_path_rate, stem_stride }) => {
    let y = net.batchNorm('bn1', net.conv('conv_stem', x, 32, 3, { stride: stem_stride }), 'relu6');
    let index = 0;
    STAGES.forEach(([expansion, kernel, stride, out, blocks], stage) => {
      for (let i = 0; i < blocks; i++) {
        const options = { expansion, kernel, stride: i === 0 ? stride : 1, out };
        const drop = (drop_path_rate * index++) / BLOCKS;
        y = block(net, `blocks.${stage}.${i}`, y, options, drop);
      }
    });
    y = net.batchNorm('bn2', net.conv('conv_head', y, 1280, 1), 'relu6');
    return net.head('classifier', net.dropout(net.globalAvgPool(y), drop_rate));
  },
);

interface BlockOptions {
  expansion: number;
  kernel: number;
  stride: number;
  out: number;
}

function block(net: Builder, name: string, x: Value, b: BlockOptions, drop: number): Value {
  const { expansion, kernel, stride, out } = b;
  const middle = x.channels * expansion;
  const layers: [name: string, channels: number, kernel: number][] = [
    ['conv_pw', middle, 1],
    ['conv_dw', middle, kernel],
    ['conv_pwl', out, 1],
  ];
  // without an expansion timm calls the last convolution by the first one's name
  if (expansion === 1) layers.splice(0, 3, ['conv_dw', middle, kernel], ['conv_pw', out, 1]);
  let y = x;
  layers.forEach(([conv, channels, size], i) => {
    const options = conv === 'conv_dw' ? { stride, groups: channels } : {};
    y = net.conv(`${name}.${conv}`, y, channels, size, options);
    y = net.batchNorm(`${name}.bn${i + 1}`, y, i < layers.length - 1 ? 'relu6' : 'none');
  });
  return stride === 1 && x.channels === out ? net.add(net.stochasticDepth(y, drop), x) : y;
}
