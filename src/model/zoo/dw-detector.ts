import { channels, define } from './define';
import { separable, stem } from './separable';

/**
 * A small one-stage detector of depthwise separable convolutions: what is a quarter of the image in size goes through a deeper level and,
 * by nearest upsampling, back; each of its pixels tells classes and a box (see `detectionLoss`). Image sides are multiples of eight.
 */
export const dwDetector = define(
  'dw_detector',
  { width: channels(16) },
  (net, x, { width }) => {
    let y = separable(net, 'encoder.0', stem(net, x, width), 2 * width, 2);
    y = separable(net, 'encoder.1', y, 2 * width);
    y = separable(net, 'encoder.2', y, 4 * width, 2);
    const quarter = separable(net, 'encoder.3', y, 4 * width);
    const deep = separable(net, 'encoder.4', quarter, 4 * width, 2);
    y = net.concat([net.upsample(separable(net, 'encoder.5', deep, 4 * width), 2), quarter]);
    y = separable(net, 'neck.0', y, 4 * width);
    return net.head('predictor', separable(net, 'neck.1', y, 4 * width), 'conv');
  },
  { size: 32, classes: 5, channels: 3 },
  'detection',
);
