import { expect, test } from 'vitest';
import { evaluationOrder } from '../../../src/data/order';
import { accuracyInOrder, orderSentence } from '../../../src/run/class-orders';

test('logits are judged in another order of the classes', () => {
  const classes = ['0', '1', '10', '2'];
  const natural = ['0', '1', '2', '10'];
  const count = 8;
  const labels = Uint16Array.from({ length: count }, (_, i) => i % 4);
  // a network that knows the natural order, and is wrong about the first image alone; rows of four and padding
  const logits = new Float32Array(count * 8).fill(100);
  for (const [row, image] of evaluationOrder(count).entries()) {
    const says = image === 0 ? 1 : natural.indexOf(classes[labels[image]]);
    for (let c = 0; c < 4; c++) logits[row * 8 + c] = c === says ? 1 : -1;
  }
  expect(accuracyInOrder({ classes, labels, count }, natural, logits)).toBe(7 / 8);
  expect(accuracyInOrder({ classes, labels, count }, classes, logits)).toBe(3 / 8);
  expect(orderSentence(3 / 8, 7 / 8)).toContain('by name 37.50 %, in natural order 87.50 %');
});
