import { expect, test } from 'vitest';
import { calibrationOf } from '../../../src/analysis/calibration';

const told = (...rows: [probability: number, isRight: boolean][]) =>
  rows.map(([probability, isRight], image) => ({
    image,
    label: 'a',
    predicted: isRight ? 'a' : 'b',
    probability,
  }));

test('the error is the distance of confidence and accuracy, by bins weighted by their images', () => {
  // of two bins: below a half 0.4 against 1 of 2, above it 0.8 against 3 of 4 and a bound that counts below
  const some = told([0.3, true], [0.5, false], [0.7, true], [0.8, true], [0.9, false], [0.8, true]);
  const { bins, error, confidence } = calibrationOf(some, 2);
  expect(bins.map(({ images }) => images)).toEqual([2, 4]);
  expect(bins[0].confidence).toBeCloseTo(0.4, 12);
  expect(bins[0].accuracy).toBe(0.5);
  expect(bins[1].confidence).toBeCloseTo(0.8, 12);
  expect(bins[1].accuracy).toBe(0.75);
  expect(error).toBeCloseTo((2 / 6) * 0.1 + (4 / 6) * 0.05, 12);
  expect(confidence).toBeCloseTo(4 / 6, 12);
});

test('a network that is sure and right has none; one that is sure and wrong all of it', () => {
  expect(calibrationOf(told([1, true], [1, true])).error).toBe(0);
  expect(calibrationOf(told([1, false], [1, false])).error).toBe(1);
});

test('bins are fifteen of equal width; an empty one says nothing, and no probability is lost', () => {
  const { bins } = calibrationOf(told([0, true], [1e-9, true], [1, true], [1 / 15, true]));
  expect(bins).toHaveLength(15);
  expect(bins[0]).toMatchObject({ from: 0, to: 1 / 15, images: 3 });
  expect(bins[1]).toEqual({ from: 1 / 15, to: 2 / 15, images: 0 });
  expect(bins[14].images).toBe(1);
});
