import { afterEach, describe, expect, test, vi } from 'vitest';
import { evaluationOrder, trainingOrder } from '../../../src/data/order';
import { imageBytes } from '../../../src/data/pixels';
import { Discarded, Stopped, UserError } from '../../../src/errors';
import { currentKernel } from '../../../src/model/current-kernels';
import { expandMap } from '../../../src/model/expand-map';
import { mergeState } from '../../../src/model/merge';
import { readState } from '../../../src/model/read-state';
import { geometryOf, refconvs } from '../../../src/model/refconv';
import { refocus } from '../../../src/model/refocus-math';
import { numbersOf } from '../../../src/model/state';
import type { Kept } from '../../../src/train/history';
import { chooseImages, type LivePrediction, predictionOf } from '../../../src/train/live-look';
import type { EvalPoint, StepPoint } from '../../../src/train/metrics';
import type { Control, Observer } from '../../../src/train/observer';
import { Trainer } from '../../../src/train/trainer';
import type { Training } from '../../../src/train/training-session';
import { fakeGpu } from '../fake-gpu';
import { type Behaviour, fakeNetwork, tinyTraining } from '../fake-network';

afterEach(() => void vi.restoreAllMocks());

/** A trainer on a fake device, with all that it says. */
async function trainer(training: Training, behaviour: Behaviour = {}, more: Partial<Observer> = {}) {
  const { compute, batches } = fakeNetwork(behaviour);
  const gpu = fakeGpu(compute);
  const points: StepPoint[] = [];
  const evals: EvalPoint[] = [];
  const warnings: string[] = [];
  const observed = { steps: 0, rates: [] as number[], etas: [] as number[] };
  const made = await Trainer.create(gpu, training, {
    steps(fresh, { imagesPerSecond, etaSeconds }) {
      points.push(...fresh);
      observed.steps++;
      observed.rates.push(imagesPerSecond);
      observed.etas.push(etaSeconds);
    },
    evaluated: (point) => evals.push(point),
    warning: (message) => warnings.push(message),
    ...more,
  });
  return { trainer: made, gpu, batches, points, evals, warnings, observed };
}

describe('a run', () => {
  test('takes every image of each epoch, in that epoch’s order, and evaluates after it', async () => {
    const t = tinyTraining();
    const { trainer: made, batches } = await trainer(t);
    expect(made.stepsPerEpoch).toBe(6);
    expect(made.totalSteps).toBe(18);
    await made.run({ cancelled: false });
    expect(batches.map(({ program }) => program)).toEqual(
      [0, 1, 2].flatMap(() => [...new Array(6).fill('train'), 'evaluate']),
    );
    const steps = batches.filter(({ program }) => program === 'train');
    for (const [i, batch] of steps.entries()) {
      const epoch = Math.floor(i / 6);
      const rows = i % 6 === 5 ? 2 : 4;
      expect(batch).toMatchObject({ step: i, seed: 5, epoch, batchOffset: (i % 6) * 4, rows, lr: 0.5 });
      const order = trainingOrder(22, 5, epoch);
      expect(batch.images).toEqual([...order.subarray((i % 6) * 4, (i % 6) * 4 + rows)]);
      expect(batch.labels).toEqual(batch.images.map((image) => image % 3));
      expect(batch.correction1).toBeCloseTo(1 / (1 - 0.9 ** (i + 1)), 4);
      expect(batch.correction2).toBeCloseTo(1 / (1 - 0.999 ** (i + 1)), 1);
      expect(batch.parameter - steps[0].parameter).toBeCloseTo(i, 5);
    }
    for (const batch of batches.filter(({ program }) => program === 'evaluate')) {
      expect(batch).toMatchObject({ step: 0, batchOffset: 0, rows: 7 });
      expect(batch.images).toEqual([...evaluationOrder(7)]);
    }
  });

  test('goes over few images several times an epoch, each time in another order', async () => {
    const metrics: Behaviour['metrics'] = ({ rows, step }) => [rows * (50 - step), 0];
    const t = tinyTraining({ epochs: 2, repeats: 3, batch: 8, microBatch: 5 });
    const { trainer: made, batches, points, evals } = await trainer(t, { metrics });
    expect([made.stepsPerEpoch, made.totalSteps]).toEqual([9, 18]);
    await made.run({ cancelled: false });
    const runs = batches.filter(({ program }) => program !== 'evaluate');
    // of 22 images 5 and 3, 5 and 3, 5 and the 1 that batch norm cannot train on alone
    expect(runs.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 30 }, (_, i) => Math.floor(i / 5)));
    for (let pass = 0; pass < 6; pass++) {
      const images = runs.filter(({ epoch }) => epoch === pass).flatMap((run) => run.images);
      expect(images).toEqual([...trainingOrder(22, 5, pass)]);
    }
    expect(points.map(({ step }) => step)).toEqual(Array.from({ length: 18 }, (_, i) => i + 1));
    expect(points[17]).toMatchObject({ epoch: 2, loss: 50 - 29 });
    expect(evals.map(({ step, epoch }) => [step, epoch])).toEqual([
      [9, 1],
      [18, 2],
    ]);
  });

  test.each(['dense', 'factored'] as const)(
    'of several rounds takes merged kernels for bases, with fresh maps and a fresh optimiser: %s maps',
    async (path) => {
      const t = tinyTraining({ method: 'refocus', rounds: 2, epochs: 4, path });
      const { trainer: made, batches } = await trainer(t);
      await made.run({ cancelled: false });
      const steps = batches.filter(({ program }) => program === 'train');
      const since = steps.findIndex(({ step }) => step === 12);
      expect(steps[since].correction1).toBeCloseTo(1 / (1 - 0.9), 4);
      expect(steps[since - 1].correction1).toBeCloseTo(1 / (1 - 0.9 ** 12), 4);
      // a step adds 1 to each number that trains: in either round the maps come from 0 to 12
      const [layer] = refconvs(t.model);
      const geometry = geometryOf(layer);
      const round = (basis: ArrayLike<number>) => {
        const twelves = new Float64Array(path === 'dense' ? 4 * 3 * 9 : basis.length).fill(12);
        return refocus(basis, path === 'dense' ? twelves : expandMap(twelves, basis, geometry), geometry);
      };
      const first = round(numbersOf(t.start.get('conv.weight')!));
      const { last } = made.outcome();
      const state = await readState(last.snapshot, t.model, t.start);
      const basis = numbersOf(state.get('conv.weight')!);
      const largest = Math.max(...first.map(Math.abs));
      expect(Math.max(...first.map((v, i) => Math.abs(v - basis[i])))).toBeLessThan(1e-6 * largest);
      const merged = numbersOf((await mergeState(t.model, state)).get('conv.weight')!);
      const both = round(first);
      const most = Math.max(...both.map(Math.abs));
      expect(Math.max(...both.map((v, i) => Math.abs(v - merged[i])))).toBeLessThan(1e-6 * most);
      // while it goes on the kernels of now are those
      const now = currentKernel(t.model, layer, t.start).of(last.snapshot);
      expect(Math.max(...both.map((v, i) => Math.abs(v - now[i])))).toBeLessThan(1e-6 * most);
    },
  );

  test('follows its schedule', async () => {
    const schedule = { kind: 'step', lr: 1, milestones: [2, 7], gamma: 0.5 } as const;
    const { trainer: made, batches, points } = await trainer({ ...tinyTraining(), schedule });
    await made.run({ cancelled: false });
    const expected = [1, 1, 0.5, 0.5, 0.5, 0.5, 0.5, ...new Array(11).fill(0.25)];
    expect(batches.filter(({ program }) => program === 'train').map(({ lr }) => lr)).toEqual(expected);
    expect(points.map(({ lr }) => lr)).toEqual(expected);
  });

  test('begins again with the optimiser where the warm-up ends, if it is to', async () => {
    const schedule = {
      kind: 'cosine',
      lr: 1,
      steps: 18,
      warmupSteps: 8,
      minLr: 0,
      startFactor: 0.1,
    } as const;
    for (const freshOptimizer of [false, true]) {
      const t = tinyTraining();
      const { trainer: made, batches } = await trainer({
        ...t,
        schedule,
        settings: { ...t.settings, freshOptimizer },
      });
      const clear = vi.spyOn(made.session, 'clear');
      await made.run({ cancelled: false });
      expect(clear.mock.calls).toEqual(freshOptimizer ? [['momentum', 'second moment']] : []);
      const steps = batches.filter(({ program }) => program === 'train');
      expect(steps[7].correction1).toBeCloseTo(1 / (1 - 0.9 ** 8), 4);
      expect(steps[8].correction1).toBeCloseTo(1 / (1 - 0.9 ** (freshOptimizer ? 1 : 9)), 4);
    }
  });

  test('reports each step once, by the mean over its images', async () => {
    const metrics: Behaviour['metrics'] = ({ program, step, rows }) =>
      program === 'train' ? [rows * (step + 2), rows - (step % 2)] : [rows * 3, 5];
    const { trainer: made, points, evals, observed } = await trainer(tinyTraining(), { metrics });
    await made.run({ cancelled: false });
    expect(points.map(({ step }) => step)).toEqual(Array.from({ length: 18 }, (_, i) => i + 1));
    for (const [i, point] of points.entries()) {
      expect(point.epoch).toBeCloseTo((i + 1) / 6, 12);
      expect(point.loss).toBe(i + 2);
      expect(point.accuracy).toBe(i % 2 === 0 ? 1 : i % 6 === 5 ? 0.5 : 0.75);
    }
    expect(evals).toEqual([1, 2, 3].map((epoch) => ({ step: 6 * epoch, epoch, accuracy: 5 / 7, loss: 3 })));
    // the first step is shown at once
    expect(observed.steps).toBeGreaterThanOrEqual(4);
    for (const rate of observed.rates) expect(rate).toBeGreaterThan(0);
    expect(observed.etas.at(-1)).toBe(0);
    expect(observed.etas[0]).toBeGreaterThan(0);
  });

  test('reads the ring before a step is written over', async () => {
    const metrics: Behaviour['metrics'] = ({ step, rows }) => [rows * (1000 - step), 0];
    const t = { ...tinyTraining({ epochs: 1, batch: 1 }) };
    const many = { ...t, train: { ...t.train, ...repeat(t, 700) } };
    const { trainer: made, points } = await trainer(many, { metrics });
    await made.run({ cancelled: false });
    expect(points.map(({ loss }) => loss)).toEqual(Array.from({ length: 700 }, (_, i) => 1000 - i));
  });

  test('shows each step that takes long, its speed, what is left and the median but the first', async () => {
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    const ms = [900, 500, 2000, 700, 600, 1000, 450, 800, 1500, 401];
    const metrics: Behaviour['metrics'] = ({ program, step, rows }) => {
      if (program === 'train') now += ms[step];
      return [rows, 0];
    };
    const { trainer: made, observed } = await trainer(tinyTraining({ epochs: 2, dropLast: true }), {
      metrics,
    });
    await made.run({ cancelled: false });
    expect(observed.rates).toEqual(ms.map((each) => (1000 / each) * 4));
    expect(observed.etas).toEqual(ms.map((each, i) => ((9 - i) * each) / 1000));
    expect(made.outcome().stepMs).toBe(ms.slice(1).sort((a, b) => a - b)[4]);
  });

  test('shows several steps at a time where they take less', async () => {
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    const metrics: Behaviour['metrics'] = ({ program, rows }) => {
      if (program === 'train') now += 150;
      return [rows, 0];
    };
    const { trainer: made, observed, points } = await trainer(tinyTraining({ epochs: 1 }), { metrics });
    await made.run({ cancelled: false });
    // the first at once, three within the next 0.45 s, and the rest of the epoch, which ends with two images
    expect(observed.steps).toBe(3);
    expect(observed.rates).toEqual([4, 4, 3].map((images) => (1000 / 150) * images));
    expect(points).toHaveLength(6);
  });

  test('leaves no buffer behind', async () => {
    const { trainer: made, gpu } = await trainer(tinyTraining({ epochs: 1 }));
    await made.run({ cancelled: false });
    expect(gpu.leaks()).not.toEqual([]);
    made.session.destroy();
    expect(gpu.leaks()).toEqual([]);
  });
});

/** As many images as asked for. */
function repeat({ train }: Training, count: number) {
  const size = imageBytes(train);
  return {
    pixels: Uint8Array.from({ length: count * size }, (_, i) => i % 251),
    labels: Uint16Array.from({ length: count }, (_, i) => i % 3),
    count,
  };
}

describe('the outcome', () => {
  /** Right answers of the three evaluations. */
  const course = (...correct: number[]): Behaviour => {
    let evaluations = 0;
    return {
      metrics: ({ program, rows }) => (program === 'train' ? [rows, 0] : [rows, correct[evaluations++]]),
    };
  };

  /** How many steps a snapshot's parameters have taken. */
  async function stepsOf(snapshot: Parameters<typeof readState>[0], t: Training): Promise<number> {
    const state = await readState(snapshot, t.model, t.start);
    const of = (s: Training['start']) => Number(s.get('fc.bias')!.data[0]);
    return Math.round(of(state) - of(t.start));
  }

  test.each([
    ['the last', [1, 2, 3], 18],
    ['a middle one', [1, 3, 2], 12],
    ['the first of equals', [3, 2, 3], 6],
  ] as const)('the best epoch is %s, with the weights that it had', async (_, correct, bestStep) => {
    const t = tinyTraining();
    const { trainer: made } = await trainer(t, course(...correct));
    await made.run({ cancelled: false });
    const { last, evals, points, steps, stepMs, ...outcome } = made.outcome();
    const best = outcome.best as Kept;
    expect(best.point).toMatchObject({ step: bestStep, accuracy: Math.max(...correct) / 7 });
    expect(last.point.step).toBe(18);
    expect(await stepsOf(best.snapshot, t)).toBe(bestStep);
    expect(await stepsOf(last.snapshot, t)).toBe(18);
    expect(evals).toHaveLength(3);
    expect(points).toHaveLength(18);
    expect(steps).toBe(18);
    expect(stepMs).toBeGreaterThan(0);
  });

  test.each([
    ['better than it, is the best', 0.4, 'epoch'],
    ['as good as it, is not', 3 / 7, 'base'],
    ['worse, is not', 0.5, 'base'],
  ])('an epoch that is %s', async (_, accuracy, expected) => {
    const t = { ...tinyTraining(), base: { accuracy, loss: 1 } };
    const { trainer: made } = await trainer(t, course(1, 3, 2));
    await made.run({ cancelled: false });
    const { best, last } = made.outcome();
    expect(best === 'base' ? best : 'epoch').toBe(expected);
    expect(last.point.step).toBe(18);
  });

  test('is none before an evaluation', async () => {
    const { trainer: made } = await trainer(tinyTraining());
    expect(() => made.outcome()).toThrow('not been evaluated');
  });

  test('logits are those of the first test images by the snapshot’s network', async () => {
    const t = tinyTraining({ epochs: 2 });
    const { trainer: made, batches } = await trainer(t, { logits: (image) => [image, image + 0.5, -image] });
    await made.run({ cancelled: false });
    const { last } = made.outcome();
    const logits = await made.logits(last.snapshot, 3);
    expect(batches.at(-1)).toMatchObject({ program: 'evaluate', rows: 3 });
    const order = evaluationOrder(7);
    const rows = [0, 1, 2].map((row) => [...logits.subarray(row * 4, row * 4 + 3)]);
    expect(rows).toEqual([...order.subarray(0, 3)].map((image) => [image, image + 0.5, -image]));
    expect((await made.logits(last.snapshot, 100)).length).toBe(7 * 4);
  });
});

describe('a run that is stopped', () => {
  test('after the step of the moment, and is evaluated', async () => {
    const control: Control = { cancelled: false };
    const metrics: Behaviour['metrics'] = ({ program, step, rows }) => {
      if (program === 'train' && step === 7) control.cancelled = true;
      return [rows, 0];
    };
    const { trainer: made, batches, evals, points } = await trainer(tinyTraining(), { metrics });
    await made.run(control);
    expect(batches.filter(({ program }) => program === 'train')).toHaveLength(8);
    expect(points).toHaveLength(8);
    expect(evals.map(({ step }) => step)).toEqual([6, 8]);
    expect(made.outcome()).toMatchObject({ steps: 8, ended: 'stopped' });
  });

  test('in the first epoch is evaluated too', async () => {
    const control: Control = { cancelled: false };
    const metrics: Behaviour['metrics'] = ({ program, rows }) => {
      if (program === 'train') control.cancelled = true;
      return [rows, 0];
    };
    const { trainer: made, evals } = await trainer(tinyTraining(), { metrics });
    await made.run(control);
    expect(evals.map(({ step }) => step)).toEqual([1]);
    expect(made.outcome()).toMatchObject({ steps: 1, ended: 'stopped' });
  });

  test('before its first step has trained nothing, and says so', async () => {
    const { trainer: made, batches } = await trainer(tinyTraining());
    const error = await made.run({ cancelled: true }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(Stopped);
    expect((error as Error).message).toBe('Stopped before anything was trained.');
    expect(batches).toEqual([]);
  });

  test('while the last epoch is evaluated has finished', async () => {
    const control: Control = { cancelled: false };
    const metrics: Behaviour['metrics'] = ({ program, rows }) => {
      if (program === 'evaluate') control.cancelled = true;
      return [rows, 0];
    };
    const { trainer: made } = await trainer(tinyTraining({ epochs: 1 }), { metrics });
    await made.run(control);
    expect(made.outcome()).toMatchObject({ steps: 6, ended: 'finished' });
  });

  test('waits while it is paused, and shows what it has', async () => {
    let resume = () => {};
    const control: Control = { cancelled: false };
    const metrics: Behaviour['metrics'] = ({ program, step, rows }) => {
      if (program === 'train' && step === 2)
        control.paused = new Promise((resolve) => {
          resume = () => {
            control.paused = undefined;
            resolve();
          };
        });
      return [rows, 0];
    };
    const { trainer: made, points } = await trainer(tinyTraining({ epochs: 1 }), { metrics });
    const done = made.run(control);
    await expect.poll(() => points.length).toBe(3);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(points).toHaveLength(3);
    resume();
    await done;
    expect(points).toHaveLength(6);
  });

  test('may be thrown away instead: no evaluation, and nothing is kept', async () => {
    const control: Control = { cancelled: false };
    const metrics: Behaviour['metrics'] = ({ program, step, rows }) => {
      if (program === 'train' && step === 7) Object.assign(control, { cancelled: true, discarded: true });
      return [rows, 0];
    };
    const { trainer: made, evals, warnings } = await trainer(tinyTraining(), { metrics });
    await expect(made.run(control)).rejects.toThrow(Discarded);
    expect(evals.map(({ step }) => step)).toEqual([6]);
    expect(warnings).toEqual([]);
  });
});

describe('a run that is looked at', () => {
  /** Trains while each step takes `ms`, looking at two images or none. */
  async function lookedAt(ms: number, live?: Observer['live']) {
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    const metrics: Behaviour['metrics'] = ({ program, rows, step }) => {
      now += program === 'train' ? ms : 10;
      return [rows * (1 + 1 / (step + 2)), step % 2];
    };
    const made = await trainer(tinyTraining(), { metrics, logits: (i) => [0, 0, i] }, { live });
    await made.trainer.run({ cancelled: false });
    return made;
  }

  test('says how sure it is of the images, at most once in three seconds, and trains as without', async () => {
    const told: { step: number; predictions: LivePrediction[] }[] = [];
    const live = {
      images: [5, 2],
      told: (step: number, predictions: LivePrediction[]) => void told.push({ step, predictions }),
    };
    const with_ = await lookedAt(800, live);
    // 0.8 s a step: the fourth, and so on
    expect(told.map(({ step }) => step)).toEqual([4, 8, 12, 16]);
    const [first, second] = told[0].predictions;
    const chance = (own: number, other: number) => Math.exp(own) / (Math.exp(own) + 2 * Math.exp(other));
    expect(first.probability).toBeCloseTo(chance(5, 0), 6);
    expect(second.top.map(({ label }) => label)).toEqual([2, 0, 1]);
    const looks = with_.batches.filter(({ program, rows }) => program === 'evaluate' && rows === 2);
    expect(looks.map(({ images }) => images)).toEqual(new Array(4).fill([5, 2]));
    const without = await lookedAt(800);
    const training = ({ batches }: typeof with_) => batches.filter(({ program }) => program === 'train');
    expect(training(with_)).toEqual(training(without));
    expect(with_.points).toEqual(without.points);
    expect(with_.evals).toEqual(without.evals);
  });

  test('is looked at more rarely where a look takes long', async () => {
    const steps: number[] = [];
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    const metrics: Behaviour['metrics'] = ({ program, rows }) => {
      now += program === 'train' ? 5000 : rows === 1 ? 200 : 0;
      return [rows, 0];
    };
    const live = { images: [1], told: (step: number) => void steps.push(step) };
    const { trainer: made } = await trainer(tinyTraining(), { metrics }, { live });
    await made.run({ cancelled: false });
    // the first at once; then 200 ms are a fiftieth of 10 s
    expect(steps).toEqual([1, 3, 5, 7, 9, 11, 13, 15, 17]);
  });

  test('chooses of each class in turn', () => {
    const labels = Uint16Array.from([0, 0, 0, 0, 0, 2, 1, 0, 0]);
    const chosen = chooseImages({ labels, count: 9 }, 5);
    expect(chosen.map((image) => labels[image])).toEqual([0, 1, 2, 0, 0]);
    expect(new Set(chosen).size).toBe(5);
    expect(chooseImages({ labels, count: 9 }, 12)).toHaveLength(9);
  });

  test('says that nothing is likely where the logits are not finite', () => {
    const { probability, top } = predictionOf(Float32Array.of(Number.NaN, 1, 2), 1);
    expect([probability, top[0].probability]).toEqual([0, 0]);
  });
});

describe('a run that is stopped early', () => {
  /** Trains for ten epochs with these right answers of seven; the epochs that it took. */
  async function epochs(patience: number, correct: number[]) {
    let evaluations = 0;
    const metrics: Behaviour['metrics'] = ({ program, rows }) =>
      program === 'train' ? [rows, 0] : [rows, correct[evaluations++]];
    const { trainer: made } = await trainer(tinyTraining({ epochs: 10, patience }), { metrics });
    await made.run({ cancelled: false });
    const { evals, ended, best } = made.outcome();
    return { epochs: evals.length, ended, best: (best as Kept).point.epoch };
  }

  test('after so many epochs without a better test accuracy', async () => {
    const correct = [1, 3, 3, 2, 4, 4, 4, 4, 5, 6];
    expect(await epochs(3, correct)).toEqual({ epochs: 8, ended: 'early', best: 5 });
    expect(await epochs(2, correct)).toEqual({ epochs: 4, ended: 'early', best: 2 });
    expect(await epochs(4, correct)).toEqual({ epochs: 10, ended: 'finished', best: 10 });
    expect(await epochs(0, correct)).toEqual({ epochs: 10, ended: 'finished', best: 10 });
  });

  test('or has come to its end all the same', async () => {
    expect(await epochs(9, [1, ...new Array(9).fill(0)])).toEqual({ epochs: 10, ended: 'finished', best: 1 });
  });
});

describe('a run that fails', () => {
  test.each([Number.NaN, Number.POSITIVE_INFINITY])(
    'by a loss of %d in the first epoch says so',
    async (loss) => {
      const metrics: Behaviour['metrics'] = ({ step, rows }) => [step === 3 ? loss : rows, 0];
      const { trainer: made } = await trainer(tinyTraining(), { metrics });
      const error = await made.run({ cancelled: false }).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(UserError);
      expect((error as Error).message).toBe(
        `The loss was ${loss} at step 4: choose a lower learning rate, such as 0.0003, or clip the gradient.`,
      );
    },
  );

  test('later keeps the last epoch', async () => {
    const metrics: Behaviour['metrics'] = ({ step, rows }) => [step === 8 ? Number.NaN : rows, 0];
    const { trainer: made, warnings, evals, points } = await trainer(tinyTraining(), { metrics });
    await made.run({ cancelled: false });
    // the steps before it were taken
    expect(points.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(warnings).toEqual([
      'The loss was NaN at step 9: choose a lower learning rate, such as 0.0003, or clip the gradient. The weights of step 6 are kept.',
    ]);
    expect(evals).toHaveLength(1);
    expect(made.outcome()).toMatchObject({ steps: 6, ended: 'diverged' });
  });

  test('by a finite loss beyond all sense keeps the last good epoch, and proposes a lower rate', async () => {
    const metrics: Behaviour['metrics'] = ({ step, rows }) => [rows * (step < 13 ? 1 : 500), 0];
    const { trainer: made, warnings, points } = await trainer(tinyTraining({ epochs: 9 }), { metrics });
    await made.run({ cancelled: false });
    expect(warnings).toEqual([
      'The loss was 500 at step 16, 1 at the start: choose a lower learning rate, such as 0.0003, or clip the gradient. The weights of step 12 are kept.',
    ]);
    expect(made.outcome()).toMatchObject({ steps: 12, ended: 'diverged' });
    expect(points.length).toBeLessThan(18);
  });

  test('by an accuracy that falls to guessing', async () => {
    const metrics: Behaviour['metrics'] = ({ epoch, program, rows }) =>
      program === 'train' ? [rows, epoch < 2 ? rows : rows / 3] : [rows, 7];
    const { trainer: made, warnings } = await trainer(tinyTraining({ epochs: 9 }), { metrics });
    await made.run({ cancelled: false });
    expect(warnings[0]).toMatch(
      /^The training accuracy of the epoch up to step 18 was 33\.3 %, no more than guessing/,
    );
    expect(made.outcome()).toMatchObject({ steps: 12, ended: 'diverged' });
  });

  test('by a test loss that is no number', async () => {
    const metrics: Behaviour['metrics'] = ({ program, rows }) => [program === 'train' ? rows : Number.NaN, 0];
    const { trainer: made, evals } = await trainer(tinyTraining(), { metrics });
    await expect(made.run({ cancelled: false })).rejects.toThrow('The test loss was NaN at step 6: choose');
    expect(evals).toEqual([]);
  });

  test('by weights that an activation hides from the loss', async () => {
    const t = tinyTraining();
    t.start.get('bn.running_var')!.data[2] = Number.NaN;
    const { trainer: made } = await trainer(t);
    await expect(made.run({ cancelled: false })).rejects.toThrow('weights were no longer finite at step 6');
  });

  test('by its device keeps what was evaluated, and says what happened', async () => {
    let lose = () => {};
    const metrics: Behaviour['metrics'] = ({ program, step, rows }) => {
      if (program === 'train' && step === 14) lose();
      return [rows, 0];
    };
    const { trainer: made, gpu } = await trainer(tinyTraining(), { metrics });
    lose = gpu.lose;
    await made.run({ cancelled: false });
    expect(made.failure).toBe('The GPU was lost. The weights of step 12 are kept.');
    expect(made.outcome().ended).toBe('failed');
    await expect(made.logits(made.outcome().last.snapshot, 3)).rejects.toThrow('The GPU was lost.');
  });
});
