import { describe, expect, test } from 'vitest';
import { redundancyOf } from '../../../src/analysis/redundancy';
import {
  around0,
  colourOf,
  largeSize,
  mapPixels,
  roundUp,
  type Scale,
  upTo,
} from '../../../src/page/redundancy/colours';
import {
  compare,
  matrixCsv,
  nearestPair,
  pairsOf,
  planeName,
  thinned,
} from '../../../src/page/redundancy/comparison';
import { changes, meansCsv } from '../../../src/page/redundancy/means';
import { courseFrom, courseWith } from '../../../src/page/run/redundancy-course';

const noise = (i: number) => Math.sin(i * i * 12.9898 + i);
const layerOf = (size: number, shape = [6, 2, 1, 3]) =>
  redundancyOf(
    'conv',
    Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => size * noise(i)),
    shape,
  );
const was = layerOf(1);
const is = layerOf(1.2);

describe('colours', () => {
  test('the scale leaves the highest hundredth out', () => {
    const values = Float32Array.from({ length: 1000 }, (_, i) => (i < 995 ? -i / 995 : 100));
    const top = largeSize(values);
    expect(top).toBeGreaterThan(0.9);
    expect(top).toBeLessThan(1.1);
    expect(largeSize(new Float32Array(4))).toBe(1);
  });

  test('a scale grows in steps of 1, 2 and 5', () => {
    expect([0.011, 0.02, 0.3, 1, 6].map(roundUp)).toEqual([0.02, 0.02, 0.5, 1, 10]);
  });

  test('values run from viridis dark to bright in the order that is asked for; NaN is transparent', () => {
    const values = Float32Array.of(0, 2, 5, Number.NaN);
    const pixels = [...mapPixels(values, Uint32Array.of(0, 1), upTo(2))];
    expect(pixels.slice(0, 4)).toEqual([0x44, 0x01, 0x54, 255]);
    expect(pixels.slice(4, 12)).toEqual([0xfd, 0xe7, 0x25, 255, 0xfd, 0xe7, 0x25, 255]);
    expect(pixels.slice(12)).toEqual([0, 0, 0, 0]);
    const turned = [...mapPixels(values, Uint32Array.of(1, 0), upTo(2))];
    expect(turned.slice(12)).toEqual(pixels.slice(0, 4));
  });

  test('of numbers on both sides 0 is pale, less is blue and more is red', () => {
    const scale = around0(2);
    const rgb = (value: number) => colourOf(value, scale).fill.match(/\d+/g)!.map(Number);
    expect(Math.min(...rgb(0))).toBeGreaterThan(235);
    const [less, more] = [rgb(-2), rgb(2)];
    expect(less[2]).toBeGreaterThan(less[0]);
    expect(more[0]).toBeGreaterThan(more[2]);
    expect([colourOf(0, scale).ink, colourOf(2, scale).ink]).toEqual(['#10181c', '#ffffff']);
  });
});

describe('a layer before and now', () => {
  test('has one picture before it is trained, three from then on, all in one order', () => {
    const how = { measure: 'divergence', isClustered: true } as const;
    expect(compare(was, undefined, how).pictures.map(({ which }) => which)).toEqual(['before']);
    const { pictures, order } = compare(was, is, how);
    expect(pictures.map(({ which }) => which)).toEqual(['before', 'now', 'difference']);
    expect(order).toEqual(compare(was, undefined, how).order);
    expect([...order].sort((a, b) => a - b)).toEqual([...Array(12).keys()]);
    for (let i = 0; i < 144; i++)
      expect(pictures[2].pairs[i]).toBeCloseTo(pictures[1].pairs[i] - pictures[0].pairs[i], 6);
  });

  test('keeps the scale of before, whatever training does', () => {
    const far = layerOf(5);
    const how = { measure: 'divergence', isClustered: false } as const;
    const [before, now, difference] = compare(was, far, how).pictures;
    expect(now.scale).toBe(before.scale);
    expect(before.scale).toEqual(compare(was, undefined, how).pictures[0].scale);
    expect(difference.scale.from).toBe(-difference.scale.to);
    // next to no difference looks so
    const near = compare(was, layerOf(1.00001), how).pictures[2];
    expect(Math.max(...near.pairs.map(Math.abs))).toBeLessThan(0.001 * before.scale.to);
    expect(near.scale.to).toBeCloseTo(0.01 * before.scale.to, 9);
    // no difference has a scale too
    expect(compare(was, layerOf(1), how).pictures[2].scale.to).toBe(1);
    expect(compare(was, is, { ...how, measure: 'cosine' }).pictures[0].scale).toMatchObject({
      from: -1,
      to: 1,
    });
  });

  test('names a pair by output and input channel, of a depthwise layer by its one', () => {
    expect(planeName(was, 7)).toBe('output 3 input 1');
    expect(planeName({ shape: [9, 1, 3, 3] }, 7)).toBe('channel 7');
  });

  test('points at the most alike pair at first', () => {
    const twins = redundancyOf('conv', Float32Array.of(1, 2, 5, 1, 3, 3, 5.01, 1.01), [4, 1, 1, 2]);
    expect(new Set(nearestPair(twins))).toEqual(new Set([1, 3]));
    expect(nearestPair(redundancyOf('conv', Float32Array.of(1, 2), [1, 1, 1, 2]))).toEqual([0, 0]);
  });

  test('is thinned for a small picture without losing which planes it has', () => {
    const small = thinned(was, 5);
    expect([...small.drawn]).toEqual([0, 2, 4, 7, 9]);
    const [all, few] = [pairsOf(was, 'divergence'), pairsOf(small, 'divergence')];
    expect(few[1 * 5 + 3]).toBe(all[2 * 12 + 7]);
    expect(thinned(was, 40)).toBe(was);
  });

  test('is written as a matrix in the order of the picture', () => {
    const twins = redundancyOf('conv', Float32Array.of(1, 2, 5, 1, 3, 3), [3, 1, 1, 2]);
    const shown = { ...compare(twins, undefined, { measure: 'divergence', isClustered: false }) };
    shown.order = Uint32Array.of(2, 0, 1);
    const lines = matrixCsv(shown.pictures[0], shown).split('\r\n');
    expect(lines[0]).toBe('kernel,channel 2,channel 0,channel 1');
    const pairs = pairsOf(twins, 'divergence');
    const cells = lines[1].split(',').slice(1).map(Number);
    for (const [at, column] of [2, 0, 1].entries()) expect(cells[at]).toBeCloseTo(pairs[2 * 3 + column], 5);
    expect(lines).toHaveLength(5);
  });
});

describe('the course of a run', () => {
  const begun = courseFrom([was], new Map());

  test('is a point a look; one that goes back to a checkpoint leaves out what came after', () => {
    const course = [10, 20, 30].reduce((c, step) => courseWith(c, step, [is]), begun);
    expect(course.points.map(({ step }) => step)).toEqual([0, 10, 20, 30]);
    expect(courseWith(course, 20, [is]).points.map(({ step }) => step)).toEqual([0, 10, 20]);
    const over = courseWith(course, 40, [is], true);
    expect([over.isMerged, over.step, over.now]).toEqual([true, 40, [is]]);
  });

  test('is told against the start, in hundredths or as a difference', () => {
    const course = courseWith(begun, 10, [is]);
    expect(changes(course, 'divergence')).toEqual([
      [0, 10],
      [0, expect.closeTo(100 * (is.divergence / was.divergence - 1), 9)],
    ]);
    expect(changes(course, 'cosine')[1][1]).toBeCloseTo(is.cosine - was.cosine, 12);
    const flat = courseFrom([{ ...was, divergence: 0 }], new Map());
    expect(changes(flat, 'divergence')[1]).toEqual([null]);
    const [head, first] = meansCsv(course).split('\r\n');
    expect(head).toBe('step,conv divergence,conv cosine,conv effectiveRank');
    expect(Number(first.split(',')[1])).toBeCloseTo(was.divergence, 6);
  });
});

/** Sight without one kind of cone (Machado, Oliveira and Fernandes 2009), of linear RGB. */
const SIGHTS = {
  full: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  protanopia: [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
  deuteranopia: [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881],
  tritanopia: [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039],
};

/** CIELAB of bytes of sRGB as such an eye sees them. */
function seen(rgb: ArrayLike<number>, sight: readonly number[]): number[] {
  const linear = Array.from(rgb, (byte) => {
    const v = byte / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  });
  const product = (m: readonly number[], v: readonly number[]) =>
    [0, 1, 2].map((row) => m[3 * row] * v[0] + m[3 * row + 1] * v[1] + m[3 * row + 2] * v[2]);
  const shown = product(sight, linear).map((v) => Math.max(0, Math.min(1, v)));
  const toXyz = [0.4124, 0.3576, 0.1805, 0.2126, 0.7152, 0.0722, 0.0193, 0.1192, 0.9505];
  const [x, y, z] = product(toXyz, shown).map((v, i) => Math.cbrt(v / [0.9505, 1, 1.089][i] + 1e-9));
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

describe.each(Object.entries(SIGHTS))('to eyes with %s', (_, sight) => {
  const colours = (scale: Scale) =>
    Array.from({ length: 17 }, (_, i) => {
      const at = 4 * Math.min(255, i * 16);
      return seen(scale.palette.subarray(at, at + 3), sight);
    });

  test('more is lighter on the scale of one side', () => {
    const lightness = colours(upTo(1)).map(([l]) => l);
    for (let i = 1; i < lightness.length; i++) expect(lightness[i]).toBeGreaterThan(lightness[i - 1] + 1);
  });

  test('the scale of two sides darkens from 0, and its sides are told apart', () => {
    const all = colours(around0(1));
    for (let i = 1; i <= 8; i++) {
      expect(all[8 + i][0]).toBeLessThan(all[8 + i - 1][0]);
      expect(all[8 - i][0]).toBeLessThan(all[8 - i + 1][0]);
      const [less, more] = [all[8 - i], all[8 + i]];
      const difference = Math.hypot(...less.map((v, k) => v - more[k]));
      expect(difference).toBeGreaterThan(i > 1 ? 10 : 4);
    }
  });
});
