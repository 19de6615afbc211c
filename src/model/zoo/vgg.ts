import * as v from 'valibot';
import { type Argument, count, type Definition, define, dropRate } from './define';

/** Convolutions of each stage; a max pooling stands behind a stage. */
const DEPTHS = {
  vgg11: [1, 1, 2, 2, 2],
  vgg13: [2, 2, 2, 2, 2],
  vgg16: [2, 2, 3, 3, 3],
  vgg19: [2, 2, 4, 4, 4],
};
const CHANNELS = [64, 128, 256, 512, 512];
/** Rows and columns of pixels that the classifier takes: torchvision's `avgpool`. */
const avgpool: Argument<number> = {
  schema: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(16)),
  expects: 'a whole number from 1 to 16',
  fallback: 7,
};
/** Channels of the classifier's hidden layers. */
const hidden: Argument<number> = {
  schema: count(16384),
  expects: 'a whole number from 1 to 16384',
  fallback: 4096,
};

const vgg = (name: string, depths: number[], norm: boolean): Definition =>
  define(name, { avgpool, hidden, dropout: dropRate(0.5) }, (net, x, { avgpool, hidden, dropout }) => {
    let index = 0;
    let y = x;
    depths.forEach((layers, stage) => {
      for (let i = 0; i < layers; i++) {
        y = net.conv(`features.${index++}`, y, CHANNELS[stage], 3, { bias: true });
        if (norm) y = net.batchNorm(`features.${index++}`, y, 'relu');
        else y = net.activation(y, 'relu');
        index++;
      }
      y = net.maxPool(y, 2);
      index++;
    });
    y = net.adaptiveAvgPool(y, [avgpool, avgpool]);
    y = net.activation(net.linear('classifier.0', y, hidden, [avgpool, avgpool]), 'relu');
    y = net.activation(net.linear('classifier.3', net.dropout(y, dropout), hidden), 'relu');
    return net.head('classifier.6', net.dropout(y, dropout));
  });

/**
 * VGG (Simonyan and Zisserman 2014), without batch norms and with, torchvision's names. With `avgpool` 1 and `hidden` 512 it is what
 * github.com/chenyaofo/pytorch-cifar-models has for images of 32 pixels.
 */
export const vggs = Object.entries(DEPTHS).flatMap(([name, depths]) => [
  vgg(name, depths, false),
  vgg(`${name}_bn`, depths, true),
]);
