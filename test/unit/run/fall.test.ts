import { expect, test } from 'vitest';
import { fallWatch } from '../../../src/run/fall';

const told = (accuracies: number[], base: number | undefined = 0.81, images = 1000) => {
  const messages: string[] = [];
  const watch = fallWatch({ images, lr: 0.003 }, (message) => messages.push(message));
  for (const [i, accuracy] of accuracies.entries()) watch({ step: i, epoch: i + 1, accuracy, loss: 1 }, base);
  return messages;
};

test('a network that gets much worse is told of once, with a rate that does less harm', () => {
  expect(told([0.79, 0.375, 0.3])).toEqual([
    'After epoch 2 it tells 37.5 % of the test images right, the network as it was loaded 81.0 %: where it does not recover, a learning rate below 0.003, such as 0.0003, does less harm.',
  ]);
});

test('a little worse, or worse by what chance may do on few images, is not', () => {
  expect(told([0.79, 0.72, 0.9])).toEqual([]);
  expect(told([0.6], 0.8, 10)).toEqual([]);
});

test('a run that is stopped within an epoch is told of where it is', () => {
  const messages: string[] = [];
  const watch = fallWatch({ images: 1000, lr: 0.003 }, (message) => messages.push(message));
  watch({ step: 3, epoch: 1 / 3, accuracy: 0.3, loss: 1 }, 0.81);
  expect(messages).toEqual([expect.stringMatching(/^After epoch 0.33 it tells 30.0 %/)]);
});
