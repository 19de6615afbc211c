import { expect, test } from 'vitest';
import { floats } from '../../../src/io/tensor';
import { buildModel } from '../../../src/model/builder';
import { initialState } from '../../../src/model/init';
import { networkGrams } from '../../../src/run/redundancy';
import { stepLengthSentence } from '../../../src/run/step-length';
import type { RunSettings } from '../../../src/train/settings';
import { trainedModel } from '../../../src/train/trained-model';
import { runSettings } from '../../settings';

const plain = buildModel({ name: 'a net', classes: 3 }, (net, x) => {
  let y = net.conv('stem', x, 4, 3);
  y = net.conv('one', y, 4, 3, { groups: 4 });
  y = net.conv('other', y, 4, 3, { groups: 4 });
  return net.head('fc', net.globalAvgPool(y));
});

/** Kernels of so much in the middle and nothing around it: through a map of 1 x 1 a gradient there is multiplied by the sum of squares. */
function sentence(middles: Record<'one' | 'other', number[]>, settings: Partial<RunSettings> = {}) {
  const state = initialState(plain, 1);
  for (const [name, values] of Object.entries(middles)) {
    const kernels = new Float32Array(36);
    for (const [i, value] of values.entries()) kernels[9 * i + 4] = value;
    state.set(`${name}.weight`, floats([4, 1, 3, 3], kernels));
  }
  const decided = runSettings({ method: 'refocus', lr: 0.01, mapKernel: 1, ...settings });
  return stepLengthSentence(trainedModel(plain, decided), decided, networkGrams(plain, state, 1));
}
const middles = { one: [1, 2, 3, 1], other: [5, 4, 4, 4] };

test('the layer whose steps go farthest is named, with how far', () => {
  expect(sentence(middles)).toContain('the kernels of other move 73 times as far');
  expect(sentence({ ...middles, other: [0, 0, 0, 0] })).toContain('the kernels of one move 15 times');
  expect(sentence(middles, { layers: ['one'] }), 'of the refocused layers').toContain('one move 15 times');
  expect(sentence(middles)).toContain('a rate below 0.01');
});

test('nothing is said where steps are not so multiplied', () => {
  expect(sentence({ one: [1, 0, 0, 0], other: [0, 1, 0, 0] }), 'or hardly').toBeUndefined();
  expect(sentence(middles, { method: 'finetune' })).toBeUndefined();
  expect(sentence(middles, { optimizer: 'adamw' })).toBeUndefined();
  expect(sentence(middles, { method: 'precondition' })).toContain('73 times');
  expect(sentence(middles, { method: 'precondition', preconditioner: 'identity' })).toBeUndefined();
});
