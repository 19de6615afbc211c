/** The rule of an update, and the loss. */
import { choice, flag, orAuto, real, whole } from '../field';
import { SGD, setting } from './setting';

export const optimisation = {
  /** of a batch; gradients add up over the micro-batches before the update */
  microBatch: setting(orAuto(whole(1, 65_536)), 'auto', {
    group: 'optimisation',
    label: 'Micro-batch',
    unit: 'images',
    help: "images that a step takes at a time, their gradients added up to the batch's; auto: the batch, fewer where memory is short",
  }),
  optimizer: setting(choice(['sgd', 'SGD'], ['adamw', 'AdamW']), 'sgd', {
    group: 'optimisation',
    label: 'Optimiser',
    help: 'rule that updates the weights',
  }),
  momentum: setting(real({ min: 0, below: 1 }, 0.01), 0.9, {
    group: 'optimisation',
    label: 'Momentum',
    help: 'share of the last update that is kept (sgd)',
    onlyFor: SGD,
  }),
  nesterov: setting(flag, false, {
    group: 'optimisation',
    label: 'Nesterov momentum',
    help: 'look ahead by the momentum (sgd)',
    onlyFor: SGD,
  }),
  weightDecay: setting(real({ min: 0, max: 1 }, 1e-5), 4e-5, {
    group: 'optimisation',
    label: 'Weight decay',
    help: 'pull of every weight towards zero',
  }),
  /** decay is not for what scales or shifts, some say; timm's `filter_bias_and_bn` */
  decayNorms: setting(flag, true, {
    group: 'optimisation',
    label: 'Decay norms and biases',
    help: 'weight decay on the weights of norms and on biases too',
  }),
  labelSmoothing: setting(real({ min: 0, below: 1 }, 0.01), 0, {
    group: 'optimisation',
    label: 'Label smoothing',
    help: 'share of the target spread over all classes',
  }),
  balance: setting(
    choice(
      ['none'],
      ['loss', 'by weights in the loss', 'Images of a class weigh the more, the fewer it has.'],
      ['sampler', 'by the order of images', 'Each epoch takes as many images of each class.'],
    ),
    'none',
    {
      group: 'optimisation',
      label: 'Balance classes',
      help: "what makes up for classes of unequal size: weights in the loss, inverse to a class' images, or an order that takes as many of each",
    },
  ),
  /** the norm is the whole gradient's */
  clipNorm: setting(real({ min: 0, max: 1e9 }, 0.1), 0, {
    group: 'optimisation',
    label: 'Gradient clip',
    help: 'largest norm of the whole gradient; 0: no clipping',
  }),
  /** timm's; the decay begins lower and rises to this */
  ema: setting(real({ min: 0, below: 1 }, 0.0001), 0, {
    group: 'optimisation',
    label: 'Average of weights',
    help: 'decay of an exponential moving average of the weights, which is then tested and kept; 0: none',
  }),
};
