import { expect, test } from 'vitest';
import type { LayerRedundancy } from '../../../src/api';
import { courseFrom, courseWith } from '../../../src/page/run/redundancy-course';
import { putSteps, stepCount, steps, stepTimes } from '../../../src/page/run/state';

test('more steps are shown than a function takes arguments', () => {
  const points = Array.from({ length: 200_000 }, (_, i) => ({
    ...{ step: i + 1, epoch: i / 100, loss: 1, accuracy: 0.5, lr: 0.1 },
  }));
  putSteps(points, [60]);
  expect(stepCount.value).toBe(200_000);
  expect(steps.at(-1)).toBe(points.at(-1));
  expect(stepTimes.slice(0, 2)).toEqual([60, Number.NaN]);
});

test('looks at the kernels stay few, the first and the newest among them', () => {
  const layers = [{ divergence: 1, cosine: 0, effectiveRank: 9 } as LayerRedundancy];
  let course = courseFrom(layers, new Map());
  for (let step = 1; step <= 5000; step++) course = courseWith(course, step, layers);
  const seen = course.points.map(({ step }) => step);
  expect(seen.length).toBeLessThanOrEqual(400);
  expect(seen[0]).toBe(0);
  expect(seen.at(-1)).toBe(5000);
  expect(Math.max(...seen.slice(1).map((step, i) => step - seen[i]))).toBeLessThan(100);
});
