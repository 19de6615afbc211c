import { describe, expect, it } from 'vitest';
import { Graph } from '../../src/graph/graph';
import type { Tensor } from '../../src/graph/tensor';
import { type Augmentation, augment, augmentBy, mixBy, PARAMETERS } from '../../src/ops/augment';
import type { GatherOptions } from '../../src/ops/gather';
import { crossEntropy } from '../../src/ops/loss/cross-entropy';
import golden from '../fixtures/augment.json';
import { randomU32 } from '../reference/rng';
import { expectClose, sessionOf } from './harness';

const bytesOf = (text: string) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const images = bytesOf(golden.images);
const COUNT = 4;
const { height, width, crop } = golden;

const NOTHING: Augmentation = {
  cropScale: 1,
  cropRatio: 4 / 3,
  interpolation: 'bilinear',
  colorJitter: [0, 0, 0, 0],
  trivialAugment: false,
  randomErasing: 0,
  mixup: 0,
  cutmix: 0,
};

type Changes = Partial<Augmentation & Pick<GatherOptions, 'cropPadding' | 'flip' | 'verticalFlip'>>;

/** A graph on the golden images, taken in a row of `batch`, from 0 to 1. */
function graphOf(batch: number, changes: Changes, add: (g: Graph, options: Options) => void) {
  const g = new Graph();
  const input = (name: string, count: number, dtype: 'u8' | 'u32') =>
    g.tensor(name, [count], { role: 'input', dtype, padded: [count] });
  add(g, {
    images: input('images', images.length, 'u8'),
    labels: input('labels', COUNT, 'u32'),
    order: input('order', batch, 'u32'),
    batch,
    height,
    width,
    crop,
    channels: 3,
    mean: [0, 0, 0],
    std: [1, 1, 1],
    cropPadding: 0,
    flip: false,
    verticalFlip: false,
    ...NOTHING,
    ...changes,
  });
  return g;
}

type Options = GatherOptions & Augmentation;

async function sessionOn(g: Graph, batch: number) {
  const session = await sessionOf(g);
  session.write('input:images', images);
  session.write(
    'input:labels',
    Uint32Array.from({ length: COUNT }, (_, i) => i),
  );
  session.write(
    'input:order',
    Uint32Array.from({ length: batch }, (_, i) => i % COUNT),
  );
  return session;
}

describe('what torchvision makes of an image with the same parameters', () => {
  it.each(golden.cases)('$name', async ({ name, parameters, pixels, cubic, jitter, trivial, erasing }) => {
    const given = (g: Graph) => g.tensor('given', [COUNT, PARAMETERS], { role: 'constant' });
    const changes: Changes = {
      interpolation: cubic ? 'bicubic' : 'bilinear',
      colorJitter: jitter ? [1, 1, 1, 0.5] : [0, 0, 0, 0],
      trivialAugment: trivial ?? false,
      randomErasing: erasing ? 1 : 0,
    };
    const g = graphOf(COUNT, changes, (graph, o) => augmentBy(graph, 'data', o, given(graph)));
    const session = await sessionOn(g, COUNT);
    session.write('constant:given', Float32Array.from(parameters.flat()));
    session.run('run', { rows: COUNT });
    const x = session.plans.run.dispatches.at(-1)!.bindings.x;
    const [got] = await session.readRanges([x]);
    session.destroy();
    const expected = bytesOf(pixels);
    const off = Array.from(expected, (value, i) =>
      Math.abs(got[Math.floor(i / 3) * 4 + (i % 3)] * 255 - value),
    );
    // bytes round either way where a value lies between two, which an operation may then spread
    const allowed = jitter || trivial ? 2.6 : 1.1;
    const wrong = off.filter((d) => d > allowed).length;
    // of what moves pixels, a place halfway between two goes either way
    expect(wrong / off.length).toBeLessThan(/shear|rotate/.test(name) ? 0.02 : 1e-9);
    expect(off.filter((d) => d > 0.1).length / off.length).toBeLessThan(0.2);
  });
});

/** What is drawn for a batch. */
async function drawn(batch: number, changes: Changes, step: { seed: number; epoch: number }) {
  const g = graphOf(batch, changes, (graph, o) => {
    augment(graph, 'data', o);
  });
  const session = await sessionOn(g, batch);
  session.run('run', { ...step, rows: batch });
  const draw = session.plans.run.dispatches.find(({ shader }) => shader === 'data/draw')!;
  const { parameters, mix_of: mix } = draw.bindings;
  const [numbers, mixed] = await session.readRanges(mix ? [parameters, mix] : [parameters]);
  session.destroy();
  const rows = Array.from({ length: batch }, (_, n): number[] => [
    ...numbers.subarray(n * PARAMETERS, (n + 1) * PARAMETERS),
  ]);
  return { rows, mixed };
}

const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;

describe('what is drawn', () => {
  it('takes crops of the shares and ratios that are asked for, everywhere', async () => {
    const { rows } = await drawn(512, { cropScale: 0.3, cropRatio: 1.5 }, { seed: 7, epoch: 2 });
    for (const [top, left, h, w] of rows) {
      expect(top >= 0 && left >= 0 && top + h <= height && left + w <= width).toBe(true);
      expect(Math.abs(Math.log(w / h))).toBeLessThan(Math.log(1.5) + 0.12);
      expect((h * w) / (height * width)).toBeGreaterThan(0.27);
    }
    const shares = rows.map(([, , h, w]) => (h * w) / (height * width));
    expect(Math.min(...shares)).toBeLessThan(0.35);
    expect(Math.max(...shares)).toBeGreaterThan(0.9);
    expect(mean(rows.map(([top, , h]) => (top + h / 2) / height))).toBeCloseTo(0.5, 1);
    expect(mean(rows.map(([, left, , w]) => (left + w / 2) / width))).toBeCloseTo(0.5, 1);
  });

  it('takes the places of RandomCrop, the flips and the factors of ColorJitter by seed, epoch and position', async () => {
    const step = { seed: 4_000_000_000, epoch: 3 };
    const changes = {
      cropPadding: 4,
      flip: true,
      verticalFlip: true,
      colorJitter: [0.4, 0.2, 0.7, 0.1],
    } satisfies Changes;
    const { rows } = await drawn(64, changes, step);
    rows.forEach((row, position) => {
      const bits = (which: number) => randomU32(step.seed, step.epoch, position, which);
      expect(row.slice(0, 4)).toEqual([
        (bits(0) % (height - crop.height + 9)) - 4,
        (bits(1) % (width - crop.width + 9)) - 4,
        crop.height,
        crop.width,
      ]);
      expect(row.slice(4, 7)).toEqual([bits(2) >>> 31, bits(3) >>> 31, bits(9) % 24]);
      const factor = (which: number, strength: number) => 1 + strength * ((bits(which) >>> 8) / 2 ** 23 - 1);
      const factors = [factor(4, 0.4), factor(5, 0.2), factor(6, 0.7), factor(7, 0.1) - 1];
      expectClose(row.slice(8, 12), factors, 1e-6);
    });
  });

  it("takes each of TrivialAugment's operations as often, erases as many images as asked", async () => {
    const changes = { trivialAugment: true, randomErasing: 0.25 };
    const { rows } = await drawn(1400, changes, { seed: 1, epoch: 0 });
    const counts = new Array(10).fill(0);
    for (const row of rows) counts[row[12]]++;
    // identity, five that move, and one each of eight more
    expect(counts[1] / rows.length).toBeCloseTo(5 / 14, 1);
    for (const kind of [0, 2, 3, 4, 5, 6, 7, 8, 9])
      expect(Math.abs(counts[kind] / rows.length - 1 / 14)).toBeLessThan(0.03);
    for (const row of rows.filter((r) => r[12] === 6)) expect(row[13]).toBeGreaterThanOrEqual(2);
    const boxes = rows.map((row) => row.slice(24)).filter(([, , h]) => h > 0);
    expect(Math.abs(boxes.length / rows.length - 0.25)).toBeLessThan(0.05);
    for (const [top, left, h, w] of boxes)
      expect(top + h <= crop.height && left + w <= crop.width && h * w < 0.4 * crop.height * crop.width).toBe(
        true,
      );
  });

  it('repeats, and differs from epoch to epoch', async () => {
    const changes = { cropScale: 0.1, trivialAugment: true, mixup: 0.4, cutmix: 1 };
    const once = await drawn(8, changes, { seed: 5, epoch: 0 });
    expect(await drawn(8, changes, { seed: 5, epoch: 0 })).toEqual(once);
    expect(await drawn(8, changes, { seed: 5, epoch: 1 })).not.toEqual(once);
  });
});

describe('mixed batches', () => {
  const ROWS = 3;
  const CLASSES = 5;

  /** A mixed batch and its loss: random rows, logits that are given, `rows` of which count. */
  async function mixed(mix: number[]) {
    const g = new Graph();
    const constant = (name: string, shape: number[]) => g.tensor(name, shape, { role: 'constant' });
    const x = constant('x', [COUNT, 2, 2, 3]);
    const how = constant('how', [8]);
    const out: Tensor = g.tensor('out', [COUNT, 2, 2, 3], { role: 'output' });
    mixBy(g, 'data', x, how, out);
    const target = g.tensor('target', [COUNT], { role: 'input', dtype: 'u32', padded: [COUNT] });
    const logits = constant('logits', [COUNT, 1, 1, CLASSES]);
    crossEntropy(g, 'loss', logits, target, { labelSmoothing: 0.1, metrics: true, mix: how });
    const session = await sessionOf(g);
    const pixels = Float32Array.from({ length: COUNT * 16 }, (_, i) => (i % 4 < 3 ? i * 0.01 : 0));
    const scores = Float32Array.from({ length: COUNT * 8 }, (_, i) => (i % 8 < CLASSES ? Math.sin(i) : 0));
    session.write('constant:x', pixels);
    session.write('constant:how', Float32Array.from(mix));
    session.write('constant:logits', scores);
    session.write('input:target', Uint32Array.from([1, 4, 0, 2]));
    session.run('run', { rows: ROWS });
    const at = (shader: string) => session.plans.run.dispatches.find((d) => d.shader === shader)!.bindings;
    const { out: made } = at('data/mix');
    const { loss, dlogits } = at('loss/cross_entropy');
    const [batch, value, gradient] = await session.readRanges([made, loss, dlogits]);
    session.destroy();
    return { batch, loss: value[0], gradient, pixels, scores };
  }

  it.each<[string, number[], (place: number) => number]>([
    ['mixup', [1, 0.7, 0, 0, 0, 0, 0, 0], () => 0.7],
    ['CutMix', [2, 0.75, 0, 0, 1, 0, 1, 1], (place) => (place === 2 ? 0 : 1)],
  ])('%s takes the rest from the row before, in the loss too', async (_, how, shareAt) => {
    const { batch, loss, gradient, pixels, scores } = await mixed(how);
    const before = (n: number) => (n + ROWS - 1) % ROWS;
    const expected = Array.from(pixels, (own, i) => {
      const n = Math.floor(i / 16);
      if (n >= ROWS) return own;
      const share = shareAt(Math.floor((i % 16) / 4));
      return share * own + (1 - share) * pixels[before(n) * 16 + (i % 16)];
    });
    expectClose(batch, expected, 1e-6, 'batch');
    const labels = [1, 4, 0];
    const share = how[1];
    let sum = 0;
    for (let n = 0; n < ROWS; n++) {
      const z = [...scores.subarray(n * 8, n * 8 + CLASSES)];
      const total = z.reduce((a, v): number => a + Math.exp(v), 0);
      for (let c = 0; c < CLASSES; c++) {
        const hot = share * Number(labels[n] === c) + (1 - share) * Number(labels[before(n)] === c);
        const q = 0.9 * hot + 0.1 / CLASSES;
        sum -= q * (z[c] - Math.log(total));
        expect(gradient[n * 8 + c]).toBeCloseTo((Math.exp(z[c]) / total - q) / ROWS, 5);
      }
    }
    expect(loss).toBeCloseTo(sum / ROWS, 5);
  });

  it('have shares of the beta distribution, and of both kinds as many', async () => {
    const kinds: number[] = [];
    const shares: number[] = [];
    const g = graphOf(2, { mixup: 0.5, cutmix: 0.5 }, (graph, o) => {
      augment(graph, 'data', o);
    });
    const session = await sessionOn(g, 2);
    const { mix_of: mix } = session.plans.run.dispatches.find(
      ({ shader }) => shader === 'data/draw',
    )!.bindings;
    for (let epoch = 0; epoch < 60; epoch++) {
      session.run('run', { seed: 2, epoch, rows: 2 });
      const [[kind, share, , , top, left, h, w]] = await session.readRanges([mix]);
      kinds.push(kind);
      if (kind === 1) shares.push(share);
      else {
        expect(share).toBeCloseTo(1 - (h * w) / (crop.height * crop.width), 5);
        expect(top >= 0 && left >= 0 && top + h <= crop.height && left + w <= crop.width).toBe(true);
      }
    }
    session.destroy();
    expect(Math.abs(mean(kinds) - 1.5)).toBeLessThan(0.2);
    // the arcsine distribution: symmetric, most of it near the ends
    expect(Math.abs(mean(shares) - 0.5)).toBeLessThan(0.25);
    expect(shares.filter((s) => s < 0.15 || s > 0.85).length / shares.length).toBeGreaterThan(0.3);
  });
});
