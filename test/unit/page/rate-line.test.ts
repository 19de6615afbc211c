import { expect, test } from 'vitest';
import { rateLine } from '../../../src/page/settings/rate-line';

const points = [
  [0.001, 2],
  [0.01, 1],
  [0.1, 50],
].map(([lr, smoothed]) => ({ lr, smoothed, loss: smoothed }));

test('the line of a search goes from the first rate to the last, and what is off the chart stays at its edge', () => {
  expect(rateLine(points, 0.01)).toEqual({
    ...{ width: 320, height: 110, line: '0,72.7 160,108 320,2', mark: 160 },
    ...{ low: '1', high: '4', first: '0.001', last: '0.1' },
  });
  expect(rateLine(points)?.mark).toBeUndefined();
  expect(rateLine(points.slice(0, 1))).toBeUndefined();
});
