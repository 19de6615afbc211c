import { expect, test } from 'vitest';
import {
  averagePrecisions,
  boxOverlap,
  type Detection,
  matchDetections,
  rankDetections,
  suppress,
} from '../../../src/analysis/detection';
import { countPixels, intersectionOverUnion, meanOfClasses } from '../../../src/analysis/segmentation';
import { bootstrapInterval } from '../../../src/analysis/uncertainty';
import fixture from '../../fixtures/dense.json';

test("intersection over union is that of numpy's confusion matrix, without a class that is nowhere", () => {
  const { told, truth, classes, ious, mean } = fixture.miou;
  const figures = intersectionOverUnion(countPixels(told, truth, classes));
  expect(figures[4]).toBeUndefined();
  ious.forEach((iou, c) => {
    if (iou !== null) expect(figures[c]).toBeCloseTo(iou, 12);
  });
  expect(meanOfClasses(figures)).toBeCloseTo(mean, 12);
});

test("suppression is torchvision's, average precision numpy's", () => {
  const { images, classes, precisions } = fixture.average_precision;
  const box = ([left, top, right, bottom]: number[]) => ({ left, top, right, bottom });
  const matched = images.map(({ objects, told, kept }) => {
    const detections = told.map(([label, score, ...sides]): Detection => ({ label, score, ...box(sides) }));
    const left = suppress(detections, 0.5);
    expect(left).toHaveLength(kept);
    return matchDetections(
      left,
      objects.map(([label, ...sides]) => ({ label, ...box(sides) })),
    );
  });
  averagePrecisions(rankDetections(matched, classes)).forEach((precision, c) => {
    expect(precision).toBeCloseTo(precisions[c], 12);
  });
});

const square = (left: number, side: number) => ({ left, top: 0, right: left + side, bottom: side });

test('boxes overlap by what both cover over what one of them does', () => {
  expect(boxOverlap(square(0, 4), square(0, 4))).toBe(1);
  expect(boxOverlap(square(0, 4), square(2, 4))).toBeCloseTo(8 / 24);
  expect(boxOverlap(square(0, 4), square(4, 4))).toBe(0);
});

test('an object counts once: what is told of it again is wrong', () => {
  const told = [
    { label: 0, score: 0.5, ...square(0, 4) },
    { label: 0, score: 0.9, ...square(0.5, 4) },
    { label: 1, score: 0.7, ...square(0, 4) },
  ];
  const { detections } = matchDetections(told, [{ label: 0, ...square(0, 4) }]);
  expect(detections.map(({ score, isRight }) => [score, isRight])).toEqual([
    [0.9, true],
    [0.7, false],
    [0.5, false],
  ]);
});

test('precision at a recall is the highest at that or a larger one, and what is not found costs', () => {
  const of = (...right: boolean[]) => right.map((isRight, i) => ({ label: 0, score: 1 - i / 10, isRight }));
  const average = (right: boolean[], objects: number) =>
    averagePrecisions(
      rankDetections([{ detections: of(...right), objects: new Array(objects).fill(0) }], 1),
    )[0];
  expect(average([true, true], 2)).toBe(1);
  expect(average([true], 2)).toBe(0.5);
  expect(average([false, true, true], 2)).toBeCloseTo(2 / 3);
  expect(average([], 2)).toBe(0);
  expect(average([true], 0)).toBeUndefined();
});

test('an interval by drawing anew holds the figure, and narrows with more images', () => {
  let state = 1;
  const index = (n: number) => {
    state = (state * 16807) % 2147483647;
    return state % n;
  };
  const width = (n: number) => {
    const values = Array.from({ length: n }, (_, i) => i % 2);
    const mean = (times: ArrayLike<number>) =>
      values.reduce((sum, value, i) => sum + value * times[i], 0) / n;
    const [low, high] = bootstrapInterval(n, mean, { draws: 200, index });
    expect(low).toBeLessThan(0.5);
    expect(high).toBeGreaterThan(0.5);
    return high - low;
  };
  expect(width(400)).toBeCloseTo(0.098, 1);
  expect(width(400)).toBeLessThan(width(25) / 2);
});

test('an image that counts twice is two images', () => {
  const { images, classes } = fixture.average_precision;
  const matched = images.map(({ told, objects }) => ({
    detections: told.map(([label, score], i) => ({ label, score, isRight: i % 2 === 0 })),
    objects: objects.map(([label]) => label),
  }));
  const times = matched.map((_, i) => [1, 2, 3][i % 3]);
  const copies = matched.flatMap((image, i) => new Array(times[i]).fill(image));
  const apart = averagePrecisions(rankDetections(copies, classes));
  averagePrecisions(rankDetections(matched, classes), times).forEach((precision, c) => {
    expect(precision).toBeCloseTo(apart[c]!, 12);
  });
});
