import { channels, define } from './define';
import { separable, stem } from './separable';

/**
 * A small U-Net (Ronneberger et al. 2015) of depthwise separable convolutions, for segmentation: two halvings of the image, then as many
 * nearest upsamplings, each beside what the encoder had at that size. Image sides are multiples of four.
 */
export const dwUnet = define(
  'dw_unet',
  { width: channels(16) },
  (net, x, { width }) => {
    const full = separable(net, 'encoder.0', stem(net, x, width), width);
    let half = separable(net, 'encoder.1.0', full, 2 * width, 2);
    half = separable(net, 'encoder.1.1', half, 2 * width);
    let quarter = separable(net, 'encoder.2.0', half, 4 * width, 2);
    quarter = separable(net, 'encoder.2.1', quarter, 4 * width);
    let y = net.concat([net.upsample(quarter, 2), half]);
    y = separable(net, 'decoder.0', y, 2 * width);
    y = net.concat([net.upsample(y, 2), full]);
    y = separable(net, 'decoder.1.0', y, width);
    return net.head('classifier', separable(net, 'decoder.1.1', y, width), 'conv');
  },
  { size: 32, classes: 5, channels: 3 },
  'segmentation',
);
