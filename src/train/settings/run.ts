/** What is trained, and the settings that a form always shows. */
import { choice, orAuto, real, whole } from '../field';
import { setting } from './setting';

export const run = {
  method: setting(
    choice(
      ['refocus', 'Refocus', 'Keeps the trained kernels frozen and learns a map that refocuses them.'],
      ['finetune', 'Fine-tune', 'Goes on training every weight as it is: the fair comparison.'],
      ['retrain', 'Retrain', 'Starts again from random weights, with the same budget.'],
      ['joint', 'Joint', 'Trains the kernels and their map together.'],
      [
        'precondition',
        'Precondition',
        'Fine-tunes with gradients times a matrix of the kernels: what refocusing is under SGD, and its controls.',
      ],
      ['branches', 'Branches', 'Trains kernels beside others, which become one: RepVGG, ACNet, DBB, OREPA.'],
    ),
    'refocus',
    {
      group: 'method',
      label: 'Method',
      help: 'what to train: maps on the frozen kernels, all weights, all from new random ones, both together, all weights with preconditioned gradients, or with branches beside the kernels',
    },
  ),
  epochs: setting(whole(1, 100_000), 3, {
    group: 'main',
    label: 'Epochs',
    help: 'passes over the training images',
  }),
  batch: setting(orAuto(whole(1, 65_536)), 'auto', {
    group: 'main',
    label: 'Batch size',
    unit: 'images',
    help: 'images a step; auto: 128, or a quarter of fewer training images, 16 where there are so many',
  }),
  lr: setting(orAuto(real({ above: 0, max: 100 }, 0.001)), 'auto', {
    group: 'main',
    label: 'Learning rate',
    help: 'highest learning rate; auto: 0.003, in proportion less for batches of fewer than 64 images if the classifier is kept',
  }),
  seed: setting(whole(0, 2 ** 32 - 1), 0, {
    group: 'main',
    label: 'Seed',
    help: 'seed of everything random',
  }),
};
