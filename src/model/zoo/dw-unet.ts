import { channels, define } from './define';
import { separable, stem } from './separable';

/**
 * A small U-Net (Ronneberger et al. 2015) of depthwise separable convolutions, for segmentation: three halvings of the image, so that
 * whole objects are seen, then as many nearest upsamplings, each beside what the encoder had at that size. Image sides are multiples of eight.
 */
export const dwUnet = define(
  'dw_unet',
  { width: channels(24) },
  (net, x, { width }) => {
    // a whole image's channels are what a step's time goes into: no more layers than needed have them
    const full = stem(net, x, width);
    let half = separable(net, 'encoder.0.0', full, 2 * width, 2);
    half = separable(net, 'encoder.0.1', half, 2 * width);
    let quarter = separable(net, 'encoder.1.0', half, 4 * width, 2);
    quarter = separable(net, 'encoder.1.1', quarter, 4 * width);
    let y = separable(net, 'encoder.2.0', quarter, 4 * width, 2);
    y = separable(net, 'encoder.2.1', y, 4 * width);
    y = separable(net, 'decoder.0', net.concat([net.upsample(y, 2), quarter]), 4 * width);
    y = separable(net, 'decoder.1', net.concat([net.upsample(y, 2), half]), 2 * width);
    y = separable(net, 'decoder.2', net.concat([net.upsample(y, 2), full]), width);
    return net.head('classifier', y, 'conv');
  },
  { size: 32, classes: 5, channels: 3 },
  'segmentation',
);
