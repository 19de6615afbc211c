import { describe, expect, it } from 'vitest';
import { Graph } from '../../src/graph/graph';
import { activationLayout, unpack } from '../../src/model/layout';
import { type GatherOptions, gather } from '../../src/ops/gather';
import { randomU32 } from '../reference/rng';
import { expectClose, sessionOf, source } from './harness';

const MEAN = [0.485, 0.456, 0.406];
const STD = [0.229, 0.224, 0.225];

interface Setting {
  height: number;
  width: number;
  cropPadding: number;
  flip: boolean;
  batchOffset: number;
  rows: number;
}

const BATCH = 6;
const COUNT = 12;

function dataSet(height: number, width: number) {
  const random = source(5);
  const byte = () => Math.min(255, Math.floor((random() / Math.sqrt(12) + 0.5) * 256));
  return {
    images: Uint8Array.from({ length: COUNT * height * width * 3 }, byte),
    labels: Uint32Array.from({ length: COUNT }, (_, i) => (i * 7) % 10),
    order: Uint32Array.from({ length: COUNT }, (_, i) => (i * 5 + 3) % COUNT),
  };
}

/** What torchvision's transforms make of a sample, NCHW, with the shader's random numbers. */
function reference(s: Setting, step: { seed: number; epoch: number }) {
  const { images, labels, order } = dataSet(s.height, s.width);
  const x = new Float64Array(BATCH * 3 * s.height * s.width);
  const target = new Uint32Array(BATCH);
  for (let n = 0; n < s.rows; n++) {
    const position = s.batchOffset + n;
    const sample = order[position];
    target[n] = labels[sample];
    const shift = (which: number) =>
      s.cropPadding > 0
        ? (randomU32(step.seed, step.epoch, position, which) % (2 * s.cropPadding + 1)) - s.cropPadding
        : 0;
    const flipped = s.flip && randomU32(step.seed, step.epoch, position, 2) >= 2 ** 31;
    for (let c = 0; c < 3; c++)
      for (let h = 0; h < s.height; h++)
        for (let w = 0; w < s.width; w++) {
          const row = h + shift(0);
          const column = (flipped ? s.width - 1 - w : w) + shift(1);
          const inside = row >= 0 && row < s.height && column >= 0 && column < s.width;
          const value = inside ? images[((sample * s.height + row) * s.width + column) * 3 + c] / 255 : 0;
          x[((n * 3 + c) * s.height + h) * s.width + w] = (value - MEAN[c]) / STD[c];
        }
  }
  return { x, target };
}

/** The batch by the shader; with `capacity` the images go through a ring of so many. */
async function run(
  s: Setting,
  step: { seed: number; epoch: number },
  capacity = COUNT,
  more: Partial<GatherOptions> = {},
) {
  const { height, width, cropPadding, flip } = s;
  const { images, labels, order } = dataSet(height, width);
  const size = height * width * 3;
  const g = new Graph();
  const input = (name: string, count: number, dtype: 'u8' | 'u32') =>
    g.tensor(name, [count], { role: 'input', dtype, padded: [count] });
  gather(g, 'data', {
    images: input('images', capacity * size, 'u8'),
    labels: input('labels', COUNT, 'u32'),
    order: input('order', COUNT, 'u32'),
    batch: BATCH,
    channels: 3,
    mean: MEAN,
    std: STD,
    height,
    width,
    crop: { top: 0, left: 0, height, width },
    cropPadding,
    flip,
    verticalFlip: false,
    ...more,
  });
  const session = await sessionOf(g);
  const held = new Uint8Array(Math.ceil((capacity * size) / 4) * 4);
  if (capacity === COUNT) held.set(images);
  else
    for (let p = s.batchOffset; p < s.batchOffset + s.rows; p++)
      held.set(images.subarray(order[p] * size, (order[p] + 1) * size), (p % capacity) * size);
  session.write('input:images', held);
  session.write('input:labels', labels);
  session.write('input:order', order);
  session.run('run', { ...step, batchOffset: s.batchOffset, rows: s.rows });
  // straight from where the shader wrote: a copy as f32 may flush small integers to zero
  const { x, target_class } = session.plans.run.dispatches[0].bindings;
  const [xs, targets] = await session.readRanges([x, target_class]);
  session.destroy();
  const { crop = { height, width }, channels = 3 } = more;
  const layout = activationLayout([BATCH, channels, crop.height, crop.width]);
  expect(
    xs.filter((_, i) => i % 4 === 3).every((v) => v === 0),
    'padding',
  ).toBe(true);
  return { x: unpack(xs, layout), target: new Uint32Array(targets.buffer).slice(0, BATCH) };
}

const plain: Setting = { height: 5, width: 7, cropPadding: 0, flip: false, batchOffset: 0, rows: BATCH };

describe('gather', () => {
  it.each<[string, Setting]>([
    ['in order', plain],
    ['one pixel', { ...plain, height: 1, width: 1, batchOffset: 3 }],
    ['the last batch, part of it padding', { ...plain, batchOffset: 9, rows: 3 }],
    ['crop', { ...plain, cropPadding: 2 }],
    ['flip', { ...plain, flip: true, batchOffset: 6 }],
    ['crop and flip', { ...plain, height: 8, width: 8, cropPadding: 4, flip: true, batchOffset: 5 }],
  ])('%s', async (_, setting) => {
    for (const step of [
      { seed: 1, epoch: 0 },
      { seed: 4_000_000_000, epoch: 7 },
    ]) {
      const got = await run(setting, step);
      const expected = reference(setting, step);
      expectClose(got.x, expected.x, 1e-6, 'x');
      expect(got.target).toEqual(expected.target);
    }
  });

  it('gives a network of one channel Pillow’s gray', async () => {
    const { images, order } = dataSet(plain.height, plain.width);
    const size = plain.height * plain.width;
    const [mean, std] = [0.45, 0.22];
    const more = { channels: 1, mean: [mean], std: [std] } as const;
    const got = await run({ ...plain, batchOffset: 1, rows: BATCH }, { seed: 1, epoch: 0 }, COUNT, more);
    const expected = Float64Array.from({ length: BATCH * size }, (_, i) => {
      const at = (order[1 + Math.floor(i / size)] * size + (i % size)) * 3;
      const [r, g, b] = images.subarray(at, at + 3);
      return (Math.floor((19595 * r + 38470 * g + 7471 * b + 32768) / 65536) / 255 - mean) / std;
    });
    expectClose(got.x, expected, 1e-6, 'x');
  });

  it('takes images out of a ring that holds less than the set', async () => {
    const setting = { ...plain, batchOffset: 4, cropPadding: 1, flip: true };
    const step = { seed: 9, epoch: 2 };
    expectClose((await run(setting, step, 7)).x, reference(setting, step).x, 1e-6, 'x');
  });

  it.each([
    ['cuts the middle out', 0],
    ['cuts out of a larger image', 2],
  ])('%s, mirrored both ways', async (_, cropPadding) => {
    const crop = { top: 2, left: 1, height: 4, width: 5 };
    const step = { seed: 6, epoch: 1 };
    const setting = { ...plain, height: 8, width: 7, cropPadding, flip: true };
    const got = await run(setting, step, COUNT, { crop, verticalFlip: true });
    const { images, order } = dataSet(8, 7);
    const expected = new Float64Array(BATCH * 3 * 20);
    for (let n = 0; n < BATCH; n++) {
      const bits = (which: number) => randomU32(step.seed, step.epoch, n, which);
      const top = cropPadding === 0 ? 2 : (bits(0) % (8 - 4 + 2 * cropPadding + 1)) - cropPadding;
      const left = cropPadding === 0 ? 1 : (bits(1) % (7 - 5 + 2 * cropPadding + 1)) - cropPadding;
      for (let i = 0; i < 60; i++) {
        const [c, h, w] = [Math.floor(i / 20), Math.floor(i / 5) % 4, i % 5];
        const y = top + (bits(3) >>> 31 === 1 ? 3 - h : h);
        const x = left + (bits(2) >>> 31 === 1 ? 4 - w : w);
        const inside = y >= 0 && y < 8 && x >= 0 && x < 7;
        const value = inside ? images[((order[n] * 8 + y) * 7 + x) * 3 + c] / 255 : 0;
        expected[n * 60 + i] = (value - MEAN[c]) / STD[c];
      }
    }
    expectClose(got.x, expected, 1e-6, 'x');
  });

  it('moves and mirrors images about as often as it should', () => {
    const draws = Array.from({ length: 4000 }, (_, sample) => [
      randomU32(3, 1, sample, 0) % 9,
      randomU32(3, 1, sample, 2) >>> 31,
    ]);
    for (let shift = 0; shift < 9; shift++) {
      const share = draws.filter(([s]) => s === shift).length / draws.length;
      expect(Math.abs(share - 1 / 9)).toBeLessThan(0.025);
    }
    expect(Math.abs(draws.filter(([, f]) => f === 1).length / draws.length - 0.5)).toBeLessThan(0.04);
  });
});
