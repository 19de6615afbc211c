import { type Definition, define, dropRate } from './define';

/** Convolutions of each stage; a max pooling stands behind a stage. */
const DEPTHS = {
  vgg11: [1, 1, 2, 2, 2],
  vgg13: [2, 2, 2, 2, 2],
  vgg16: [2, 2, 3, 3, 3],
  vgg19: [2, 2, 4, 4, 4],
};
const CHANNELS = [64, 128, 256, 512, 512];
/** Rows and columns of pixels that the classifier takes, and channels of its hidden layers. */
const PIXELS = 7;
const HIDDEN = 4096;

const vgg = (name: string, depths: number[], norm: boolean): Definition =>
  define(name, { dropout: dropRate(0.5) }, (net, x, { dropout }) => {
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
    y = net.adaptiveAvgPool(y, [PIXELS, PIXELS]);
    y = net.activation(net.linear('classifier.0', y, HIDDEN, [PIXELS, PIXELS]), 'relu');
    y = net.activation(net.linear('classifier.3', net.dropout(y, dropout), HIDDEN), 'relu');
    return net.head('classifier.6', net.dropout(y, dropout));
  });

/** VGG (Simonyan and Zisserman 2014), without batch norms and with, torchvision's names. */
export const vggs = Object.entries(DEPTHS).flatMap(([name, depths]) => [
  vgg(name, depths, false),
  vgg(`${name}_bn`, depths, true),
]);
