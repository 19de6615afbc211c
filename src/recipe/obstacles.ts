/** What train.py does not know, in words. */
import { addedNorms } from '../model/added-norms';
import type { Model } from '../model/model';
import type { RunSettings } from '../train/settings';

type Obstacle = [holds: boolean, words: string];

/** Why a run cannot be repeated by train.py; nothing where it can. */
export function recipeObstacle(s: Omit<RunSettings, 'lr'>, model: Model): string | undefined {
  const isColoured = s.colorJitter.some((amount) => amount > 0) || s.trivialAugment;
  const obstacles: Obstacle[] = [
    [addedNorms(model).length > 0, 'fresh batch norms (leave out --norms)'],
    [s.headEpochs > 0, 'epochs of the head alone (--head-epochs 0)'],
    [s.cropScale < 1, 'resized crops (--augment cifar or none)'],
    [isColoured, 'changes of colour (--augment cifar or none)'],
    [s.randomErasing > 0 || s.mixup > 0 || s.cutmix > 0, 'random erasing, mixup and CutMix'],
    [s.balance === 'sampler', 'an order that balances classes (--balance loss)'],
    [s.ema > 0, 'an average of the weights (--ema 0)'],
    [s.microBatch < s.batch, 'micro-batches (it splits a batch over its processes)'],
    [s.storage !== 'f32', 'activations of 16 bits (--storage f32)'],
  ];
  return obstacles.find(([holds]) => holds)?.[1];
}
