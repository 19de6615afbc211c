import { expect, test } from 'vitest';
import { normals, uniforms } from '../../../src/model/random';

const draw = (next: () => number, count: number) => Array.from({ length: count }, next);

test('a stream for each seed and name', () => {
  const streams = [
    [1, 'conv.weight'],
    [2, 'conv.weight'],
    [1, 'conv.bias'],
    [1, 'weight.conv'],
    [1, ''],
  ] as const;
  const drawn = streams.map(([seed, name]) => draw(uniforms(seed, name), 3).join());
  expect(new Set(drawn).size).toBe(5);
  expect(draw(uniforms(1, 'conv.bias'), 3).join()).toBe(drawn[2]);
});

// a network that trains from random numbers repeats only where these do
test('has the numbers that it always had', () => {
  expect(draw(uniforms(3, 'fc.weight'), 3)).toEqual([
    0.7347493526758626, 0.989600352360867, 0.7635344221489504,
  ]);
  // sine and logarithm may differ in their last bit from one engine to another
  const normal = draw(normals(uniforms(3, 'fc.weight')), 3);
  [0.7834688198680047, -0.051267120917656214, -0.39879907117871977].forEach((x, i) => {
    expect(normal[i]).toBeCloseTo(x, 12);
  });
});

test('uniform numbers lie between 0 and 1 and reach neither', () => {
  const numbers = draw(uniforms(5, 'x'), 20_000);
  expect(Math.min(...numbers)).toBeGreaterThan(0);
  expect(Math.max(...numbers)).toBeLessThan(1);
  const mean = numbers.reduce((a, b) => a + b) / numbers.length;
  expect(Math.abs(mean - 0.5)).toBeLessThan(6 * Math.sqrt(1 / 12 / 20_000));
});

test('normal numbers have the moments of a normal distribution', () => {
  const numbers = draw(normals(uniforms(6, 'x')), 20_000);
  const moment = (power: number) => numbers.reduce((sum, x) => sum + x ** power, 0) / numbers.length;
  // within six deviations of what so many samples vary by
  const slack = 6 / Math.sqrt(20_000);
  expect(Math.abs(moment(1))).toBeLessThan(slack);
  expect(Math.abs(moment(2) - 1)).toBeLessThan(slack * Math.sqrt(2));
  expect(Math.abs(moment(3))).toBeLessThan(slack * Math.sqrt(15));
  expect(Math.abs(moment(4) - 3)).toBeLessThan(slack * Math.sqrt(96));
  // two of one pair are independent
  const products = numbers.slice(0, -1).map((x, i) => x * numbers[i + 1]);
  expect(Math.abs(products.reduce((a, b) => a + b) / products.length)).toBeLessThan(slack);
});
