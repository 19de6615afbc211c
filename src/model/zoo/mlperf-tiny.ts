import type { Builder, Value } from '../builder';
import { define } from './define';

/** Keras's defaults, in PyTorch's words. */
const norm = { eps: 1e-3, momentum: 0.01 };

/** A convolution with bias and its batch norm. */
function convNorm(
  net: Builder,
  [conv, bn]: [string, string],
  x: Value,
  out: number,
  kernel: number,
  options: { stride?: number; groups?: number } = {},
  act: 'relu' | 'none' = 'relu',
): Value {
  return net.batchNorm(bn, net.conv(conv, x, out, kernel, { ...options, bias: true }), act, norm);
}

/**
 * The image classifier of MLPerf Tiny (github.com/mlcommons/tiny, resnet_v1_eembc with 16 filters): a ResNet of three blocks. It was
 * published for Keras; the names here are those of torchvision's ResNets, and padding is symmetric as PyTorch's is.
 */
export const resnet8 = define(
  'resnet8_mlperf',
  {},
  (net, x) => {
    let y = convNorm(net, ['conv1', 'bn1'], x, 16, 3);
    [16, 32, 64].forEach((channels, stage) => {
      const name = `layer${stage + 1}.0`;
      const stride = stage > 0 ? 2 : 1;
      let branch = convNorm(net, [`${name}.conv1`, `${name}.bn1`], y, channels, 3, { stride });
      branch = convNorm(net, [`${name}.conv2`, `${name}.bn2`], branch, channels, 3, {}, 'none');
      const shortcut =
        stage > 0 ? net.conv(`${name}.downsample.0`, y, channels, 1, { stride, bias: true }) : y;
      y = net.activation(net.add(branch, shortcut), 'relu');
    });
    return net.head('fc', net.globalAvgPool(y));
  },
  'cifar',
);

/**
 * The keyword spotter of MLPerf Tiny, a DS-CNN (Zhang et al. 2017) over spectrograms of one channel, published for Keras and 49 x 10:
 * its first convolution is padded as TensorFlow's "same" is there. The names are ours.
 */
export const dsCnn = define(
  'ds_cnn',
  {},
  (net, x) => {
    let y = net.conv('conv1', x, 64, [10, 4], {
      stride: 2,
      padding: [4, 1],
      paddingEnd: [5, 1],
      bias: true,
    });
    y = net.dropout(net.batchNorm('bn1', y, 'relu', norm), 0.2);
    for (let i = 0; i < 4; i++) {
      const name = `blocks.${i}`;
      y = convNorm(net, [`${name}.conv_dw`, `${name}.bn1`], y, 64, 3, { groups: 64 });
      y = convNorm(net, [`${name}.conv_pw`, `${name}.bn2`], y, 64, 1);
    }
    // the published mean is over half of 49 rows rounded down, which leaves out the last of the 25: means of two rows do that too
    const pairs = net.avgPool(net.dropout(y, 0.4), [2, 1]);
    return net.head('classifier', net.globalAvgPool(pairs));
  },
  { size: 49, classes: 12, channels: 1 },
);
