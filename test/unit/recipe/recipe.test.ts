import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { trainingOrder } from '../../../src/data/order';
import { initialState } from '../../../src/model/init';
import type { Init, Layer, Model, Precondition } from '../../../src/model/model';
import { type PreconditionedLayer, preconditionerOf } from '../../../src/model/precondition';
import { ACTIVATIONS } from '../../../src/ops/activation';
import network from '../../../src/recipe/network.py?raw';
import train from '../../../src/recipe/train.py?raw';
import { passBatches } from '../../../src/train/batches';
import { endsWarmup, learningRate, roundStarts, scheduleOf } from '../../../src/train/schedule';
import type { RunSettings } from '../../../src/train/settings';
import { randomU32 } from '../../reference/rng';

/** What the scripts of a recipe reckon (test/fixtures/make_recipe.py). */
const fixture = JSON.parse(readFileSync('test/fixtures/recipe.json', 'utf8'));

test('the scripts know every kind of layer and every activation', () => {
  const kinds: Record<Layer['kind'], true> = {
    ...{ conv: true, linear: true, batch_norm: true, layer_norm: true, global_response_norm: true },
    ...{ activation: true, max_pool: true, avg_pool: true, global_avg_pool: true, adaptive_avg_pool: true },
    ...{ upsample: true, add: true, mul: true, concat: true, replace: true, slice: true, shuffle: true },
    ...{ depth_to_space: true, space_to_depth: true, subsample: true, dropout: true, stochastic_depth: true },
  };
  for (const kind of Object.keys(kinds)) expect(network).toContain(`"${kind}"`);
  const [, known] = network.match(/^ACTIVATIONS = dict\((.*?)^\)/ms)!;
  for (const name of Object.keys(ACTIVATIONS)) expect(known).toMatch(new RegExp(`\\b${name}=`));
});

test('a process of torchrun takes a card of its own before it touches any', () => {
  const [chosen, touched] = [
    "args.device = f\"cuda:{int(os.environ['LOCAL_RANK'])",
    'needs.device(args.device)',
  ];
  expect(train.indexOf(chosen)).toBeGreaterThan(0);
  expect(train.indexOf(touched)).toBeGreaterThan(train.indexOf(chosen));
});

test.each<{ count: number; seed: number; epoch: number; order: number[] }>(fixture.orders)(
  'the order of $count images with seed $seed in epoch $epoch is the engine’s',
  ({ count, seed, epoch, order }) => {
    expect(order).toEqual([...trainingOrder(count, seed, epoch)]);
  },
);

test.each<{ name: string; shape: number[]; init: Init; seed: number; values: number[] }>(fixture.weights)(
  'first numbers of $name are the engine’s, to a rounding of float32',
  ({ name, shape, init, seed, values }) => {
    const state = [{ name, shape, init }];
    const made = initialState({ state } as unknown as Model, seed).get(name)!;
    expect(values).toHaveLength(made.data.length);
    for (const [i, value] of values.entries())
      expect(Math.abs(value - Number(made.data[i]))).toBeLessThanOrEqual(1.2e-7 * Math.abs(value));
  },
);

interface BatchCase {
  cropPadding: number;
  flip: boolean;
  verticalFlip: boolean;
  seed: number;
  epoch: number;
  positions: number[] | null;
  at: number[];
  pixels: number[];
  labels: number[];
}

describe('images', () => {
  const { stored, crop, cases } = fixture.batches as {
    stored: { count: number; height: number; width: number };
    crop: { top: number; left: number; height: number; width: number };
    cases: BatchCase[];
  };
  const byte = (image: number, row: number, column: number, colour: number) =>
    (((((image * stored.height + row) * stored.width + column) * 3 + colour) * 89) % 251) & 255;

  test.each(cases)(
    'are cropped and flipped as shaders/data/gather.wgsl does it, padding $cropPadding',
    (c) => {
      const expected = c.at.flatMap((image, n) => {
        const position = c.positions?.[n];
        const draw = (which: number) => randomU32(c.seed, c.epoch, position!, which);
        const isMirrored = (flips: boolean, which: number) =>
          position !== undefined && flips && draw(which) >>> 31 === 1;
        const pad = position === undefined ? 0 : c.cropPadding;
        const place = (which: number, from: number, of: number, to: number) =>
          pad > 0 ? (draw(which) % (of - to + 2 * pad + 1)) - pad : from;
        const rows = Array.from({ length: crop.height }, (_, y) => y);
        const columns = Array.from({ length: crop.width }, (_, x) => x);
        if (isMirrored(c.flip, 2)) columns.reverse();
        if (isMirrored(c.verticalFlip, 3)) rows.reverse();
        const top = place(0, crop.top, stored.height, crop.height);
        const left = place(1, crop.left, stored.width, crop.width);
        return rows.flatMap((y) =>
          columns.flatMap((x) =>
            [0, 1, 2].map((colour) => {
              const [row, column] = [y + top, x + left];
              const isInside = row >= 0 && row < stored.height && column >= 0 && column < stored.width;
              return isInside ? byte(image, row, column, colour) : 0;
            }),
          ),
        );
      });
      expect(c.pixels).toEqual(expected);
      expect(c.labels).toEqual(c.at.map((image) => image % 3));
    },
  );
});

interface Drop {
  kind: 'dropout' | 'stochastic_depth';
  shape: [number, number, number, number];
  p: number;
  key: number;
  seed: number;
  first: number;
  step: number;
  kept: number[];
}

test.each<Drop>(fixture.drops)('$kind drops what the engine does', (d) => {
  const [n, c, h, w] = d.shape;
  const padded = Math.ceil(c / 4) * 4;
  const isKept = (counter: number) =>
    (randomU32(d.seed, d.step, d.key, counter) >>> 8) / 2 ** 24 >= Math.fround(d.p);
  const expected: number[] = [];
  for (let i = d.first; i < d.first + n; i++)
    for (let channel = 0; channel < c; channel++)
      for (let y = 0; y < h; y++)
        for (let x = 0; x < w; x++)
          expected.push(Number(isKept(d.kind === 'dropout' ? ((i * h + y) * w + x) * padded + channel : i)));
  expect(d.kept).toEqual(expected);
  expect(new Set(expected).size).toBe(2);
});

interface Matrix {
  shape: [number, number, number, number];
  groups: number;
  mapKernel: number;
  matrix: Precondition['matrix'];
  seed: number;
  kernel: number[];
  values: number[];
}

test.each<Matrix>(fixture.matrices)(
  'the preconditioner $matrix of a kernel $shape is the engine’s',
  ({ shape, groups, mapKernel, matrix, seed, kernel, values }) => {
    const precondition = { matrix, mapKernel, seed };
    const layer = { name: 'conv', shape, groups, precondition } as PreconditionedLayer;
    const made = preconditionerOf(layer, kernel);
    expect(values).toHaveLength(made.length);
    const most = Math.max(...made.map(Math.abs));
    for (const [i, value] of values.entries()) expect(Math.abs(value - made[i])).toBeLessThan(1e-12 * most);
  },
);

interface Course {
  settings: RunSettings;
  perEpoch: number;
  rates: number[];
  rounds: number[];
  warm: number[];
}

test.each<Course>(fixture.courses)(
  'the course of the rate is the engine’s: $settings.schedule, $settings.rounds rounds, warm-up $settings.warmupEpochs',
  ({ settings, perEpoch, rates, rounds, warm }) => {
    const s = { ...settings, headEpochs: 0 };
    const schedule = scheduleOf(s, perEpoch);
    for (const [step, rate] of rates.entries()) expect(rate).toBeCloseTo(learningRate(schedule, step), 12);
    expect(rounds).toEqual(roundStarts(s).map((epoch) => epoch * perEpoch));
    expect(warm).toEqual([...rates.keys()].filter((step) => step > 0 && endsWarmup(schedule, step)));
  },
);

interface Pass {
  norms: boolean;
  count: number;
  batch: number;
  dropLast: boolean;
  batches: [first: number, rows: number][];
}

test.each<Pass>(fixture.passes)(
  'the batches of $count images by $batch are the engine’s',
  ({ norms, count, batch, dropLast, batches }) => {
    const model = { layers: norms ? [{ kind: 'batch_norm' }] : [] } as unknown as Model;
    const made = passBatches({ model, train: { count }, settings: { batch, dropLast, repeats: 1 } });
    expect(batches).toEqual(made.map(({ first, rows }) => [first, rows]));
  },
);
