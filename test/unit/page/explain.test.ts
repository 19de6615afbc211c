import { expect, test } from 'vitest';
import { redundancyOf } from '../../../src/analysis/redundancy';
import { after, framesOf, LAST, type Place, SUM, stepTo } from '../../../src/page/explain/frames';
import { groupOf, layersToShow } from '../../../src/page/explain/layers';
import { refocusOne } from '../../../src/page/explain/refocusing';
import { STOPS } from '../../../src/page/help/tour-state';
import { tourSteps } from '../../../src/page/help/tour-steps';

const layer = (shape: [number, number, number, number]) => {
  const weight = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => i);
  return redundancyOf(`conv${shape.join('x')}`, weight, shape);
};

/** What is known of a layer's Gram matrices, as far as the animation asks. */
const gram = (groups: number) => ({ groups, mapKernel: 3 }) as never;

test('shown are layers of which every kernel that a map reads is at hand', () => {
  const depthwise = layer([8, 1, 3, 3]);
  const dense = layer([40, 40, 3, 3]);
  const wide = layer([600, 1, 3, 3]);
  const plain = layer([4, 1, 3, 3]);
  const grams = new Map([
    [depthwise.name, gram(1)],
    [dense.name, gram(1600)],
    [wide.name, gram(1)],
  ]);
  const shown = layersToShow({ before: [depthwise, dense, wide, plain], grams });
  expect(shown.map(({ layer, perGroup }) => [layer.name, perGroup])).toEqual([
    ['conv8x1x3x3', 8],
    ['conv40x40x3x3', 1],
  ]);
});

test('a kernel is refocused by those of its map group', () => {
  const shown = { layer: layer([6, 2, 1, 3]), perGroup: 3, mapKernel: 1 };
  const { group, own } = groupOf(shown, 7);
  expect(Array.from(group.weights)).toEqual([18, 19, 20, 21, 22, 23, 24, 25, 26]);
  expect([group.planes, own]).toEqual([3, 1]);
});

test.each([1, 5, 48, 500])('played, the course of %i kernels ends, and every kernel is summed', (kernels) => {
  const places: Place[] = [];
  for (let place: Place | undefined = { frame: 0, summed: 0 }; place; place = after(place, kernels))
    places.push(place);
  expect(places.at(-1)).toEqual({ frame: LAST, summed: kernels });
  const sums = places.filter(({ frame }) => frame === SUM).map(({ summed }) => summed);
  expect([sums[0], sums.at(-1)]).toEqual([0, kernels]);
  expect(sums.length).toBeLessThanOrEqual(50);
});

test('by hand, from picture to picture and no further', () => {
  expect(stepTo({ frame: 2, summed: 0 }, 1, 9)).toEqual({ frame: SUM, summed: 9 });
  expect(stepTo({ frame: LAST, summed: 9 }, 1, 9).frame).toBe(LAST);
  expect(stepTo({ frame: 0, summed: 0 }, -1, 9)).toEqual({ frame: 0, summed: 0 });
});

test('a text for every picture and every stop', () => {
  const shown = { layer: layer([4, 1, 3, 3]), perGroup: 4, mapKernel: 3 };
  const { group, own } = groupOf(shown, 0);
  expect(framesOf(shown, refocusOne(group, own, 4))).toHaveLength(LAST + 1);
  expect(tourSteps).toHaveLength(STOPS);
});
