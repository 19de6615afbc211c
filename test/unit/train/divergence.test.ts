import { describe, expect, test } from 'vitest';
import { Diverged, DivergenceWatch } from '../../../src/train/divergence';

interface Case {
  batch?: number;
  stepsPerEpoch?: number;
  classes?: number;
  labels?: number[];
}

/** A watch over a run with ten classes, a learning rate of 0.03. */
function watch({ batch = 64, stepsPerEpoch = 100, classes = 10, labels }: Case = {}) {
  const names = Array.from({ length: classes }, (_, i) => `${i}`);
  return new DivergenceWatch({
    train: {
      labels: Uint16Array.from(labels ?? Array.from({ length: 200 }, (_, i) => i % classes)),
      classes: names,
    },
    settings: { lr: 0.03 },
    batch,
    stepsPerEpoch,
  });
}

/** The step that a course of losses ends at, counted from 1; undefined where it goes on. */
function endOf(losses: Iterable<number>, given: Case = {}): number | undefined {
  const watched = watch(given);
  let step = 0;
  try {
    for (const loss of losses) watched.step({ loss, accuracy: 0.5 }, ++step);
  } catch (error) {
    expect(error).toBeInstanceOf(Diverged);
    return step;
  }
}

const of = (count: number, loss: number) => new Array<number>(count).fill(loss);

describe('a loss that has left all sense', () => {
  test('is ten times the start’s for most of the last steps', () => {
    expect(endOf([0.5, ...of(20, 4.9)])).toBeUndefined();
    expect(endOf([0.5, ...of(20, 5.1)])).toBe(5);
    expect(endOf([...of(10, 0.5), ...of(20, 6)])).toBe(13);
  });

  test('is no single step', () => {
    expect(endOf([...of(10, 0.5), 1e6, 0.5, 1e6, ...of(10, 0.5)])).toBeUndefined();
  });

  test('is above that of guessing, however good the start was', () => {
    expect(endOf([0.001, ...of(20, 2.2)])).toBeUndefined();
    expect(endOf([0.001, ...of(20, 2.4)])).toBe(5);
    expect(endOf([0.001, ...of(20, 0.8)], { classes: 2 })).toBe(5);
  });

  test('is told by the first steps too, where they are lost already', () => {
    // five steps of 15 images are the start
    const small = { batch: 15, stepsPerEpoch: 9, classes: 3 };
    expect(endOf([1.22, 59.9, 576, 262, 1382, 1278, 1947, 974, 1822], small)).toBe(9);
    expect(endOf([1.2, 1.4, 1.1, 30, 1, ...of(30, 9)], small)).toBeUndefined();
  });

  test('is no number at once', () => {
    expect(endOf([0.5, Number.NaN])).toBe(2);
    expect(endOf([Number.POSITIVE_INFINITY])).toBe(1);
  });

  test('is looked for over as many images in small batches', () => {
    // the start is the mean of 16 steps, and more than half of the last 64 tell
    const noisy = Array.from({ length: 64 }, (_, i) => (i % 2 === 0 ? 0 : 2));
    expect(endOf([...noisy, ...of(200, 9)], { batch: 4 })).toBeUndefined();
    expect(endOf([...noisy, ...of(200, 11)], { batch: 4 })).toBe(64 + 32);
    // and over no more than an epoch of a small set
    expect(endOf([...of(6, 1), ...of(20, 11)], { batch: 4, stepsPerEpoch: 6 })).toBe(6 + 3);
  });

  test('is told with a tenth of the learning rate', () => {
    const watched = watch();
    const course = () => {
      for (let step = 1; step <= 5; step++)
        watched.step({ loss: step < 2 ? 0.25 : 123.456, accuracy: 0 }, step);
    };
    expect(course).toThrow(
      'The loss was 123 at step 5, 0.25 at the start: choose a lower learning rate, such as 0.003, or clip the gradient.',
    );
  });
});

describe('an accuracy that falls to guessing', () => {
  /** Epochs of ten steps of these training accuracies; the epoch that the run ends after, counted from 1. */
  function epochs(accuracies: number[], given: Case = {}): number | undefined {
    const watched = watch({ stepsPerEpoch: 10, ...given });
    for (const [epoch, accuracy] of accuracies.entries()) {
      for (let step = 1; step <= 10; step++) watched.step({ loss: 1, accuracy }, step);
      try {
        watched.endEpoch(10 * (epoch + 1));
      } catch (error) {
        expect((error as Error).message).toMatch(/training accuracy .* no more than guessing, after/);
        return epoch + 1;
      }
    }
  }

  test('after an epoch, or a start, far above', () => {
    expect(epochs([0.6, 0.8, 0.1])).toBe(3);
    expect(epochs([0.9, 0.6, 0.9])).toBeUndefined();
    const watched = watch({ stepsPerEpoch: 10 });
    for (let step = 1; step <= 10; step++) watched.step({ loss: 1, accuracy: step === 1 ? 0.9 : 0.02 }, step);
    expect(() => watched.endEpoch(10)).toThrow(
      'of the epoch up to step 10 was 10.8 %, no more than guessing, after 90.0 %',
    );
  });

  test('not where it never was far above: a network that starts from random numbers may take its time', () => {
    expect(epochs([0.1, 0.1, 0.3, 0.1])).toBeUndefined();
  });

  test('guessing being the commonest class', () => {
    const labels = [...of(90, 0), ...of(10, 1)];
    expect(epochs([0.92, 0.9], { classes: 2, labels })).toBeUndefined();
    expect(epochs([0.97, 0.9], { classes: 2, labels })).toBe(2);
  });
});
