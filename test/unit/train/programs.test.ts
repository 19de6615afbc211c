import { describe, expect, test } from 'vitest';
import type { Constants, Plan } from '../../../src/graph/ir';
import { buildPrograms, evaluationBatch } from '../../../src/train/run-programs';
import type { RunSettings } from '../../../src/train/settings';
import { runSettings } from '../../settings';
import { labelled, tinyTraining } from '../fake-network';

const programs = (settings: Partial<RunSettings> = {}) => buildPrograms(tinyTraining(settings));

/** The constants of each dispatch of that shader. */
const constants = ({ dispatches }: Plan, shader: string): Constants[] =>
  dispatches.filter((d) => d.shader === shader).map((d) => d.constants);

describe('the step does what its settings say', () => {
  test('to the images', () => {
    const { program, evaluation } = programs({
      cropPadding: 2,
      flip: true,
      mean: [0.1, 0.2, 0.3],
      std: [0.4, 0.5, 0.6],
    });
    const shared = {
      H: 4,
      W: 4,
      RING: false,
      MEAN0: 0.1,
      MEAN1: 0.2,
      MEAN2: 0.3,
      STD0: 0.4,
      STD1: 0.5,
      STD2: 0.6,
    };
    expect(constants(program.plan, 'data/gather')).toMatchObject([
      { ...shared, N: 4, CAPACITY: 22, CROP: 2, FLIP: true },
    ]);
    // an evaluation sees them as they are
    expect(constants(evaluation.plan, 'data/gather')).toMatchObject([
      { ...shared, N: 7, CAPACITY: 7, CROP: 0, FLIP: false },
    ]);
  });

  test('in one dispatch where only crops are padded and images mirrored, in as few more as it takes', () => {
    const shaders = (settings: Partial<RunSettings>) =>
      programs(settings)
        .program.plan.dispatches.map(({ shader }) => shader)
        .filter((shader) => shader.startsWith('data/'));
    expect(shaders({ cropPadding: 4, flip: true, verticalFlip: true })).toEqual(['data/gather']);
    expect(shaders({ cropScale: 0.5 })).toEqual(['data/draw', 'data/resized_crop', 'data/colour']);
    expect(shaders({ cutmix: 1 })).toEqual(['data/draw', 'data/resized_crop', 'data/colour', 'data/mix']);
    const { evaluation } = programs({ cropScale: 0.5, trivialAugment: true, mixup: 0.2 });
    expect(constants(evaluation.plan, 'data/gather')).toMatchObject([{ CROP: 0, FLIP: false }]);
    expect(constants(evaluation.plan, 'loss/cross_entropy')[0].MIXED).toBeUndefined();
  });

  test('to the loss', () => {
    const { program, evaluation } = programs({ labelSmoothing: 0.25 });
    expect(constants(program.plan, 'loss/cross_entropy')).toMatchObject([
      { SMOOTHING: 0.25, CLASSES: 3, METRICS: true },
    ]);
    expect(constants(evaluation.plan, 'loss/cross_entropy')).toMatchObject([{ SMOOTHING: 0, METRICS: true }]);
  });

  test('to the weights', () => {
    const sgd = programs({ momentum: 0.7, nesterov: true, weightDecay: 0.02 }).program.plan;
    expect(constants(sgd, 'optim/sgd')).toMatchObject([
      { MOMENTUM: 0.7, NESTEROV: true, WEIGHT_DECAY: 0.02, CLIP: false },
    ]);
    // torch.optim.AdamW's defaults
    const adamw = programs({ optimizer: 'adamw', weightDecay: 0.03 }).program.plan;
    expect(constants(adamw, 'optim/adamw')).toMatchObject([
      { ONE_MINUS_BETA1: 1 - 0.9, BETA2: 0.999, EPS: 1e-8, WEIGHT_DECAY: 0.03, CLIP: false },
    ]);
    const clipped = programs({ clipNorm: 0.5 }).program.plan;
    expect(constants(clipped, 'optim/sgd')).toMatchObject([{ CLIP: true }]);
    expect(constants(clipped, 'optim/clip_factor')).toMatchObject([{ MAX_NORM: 0.5 }]);
  });

  test('to what is kept of the activations', () => {
    const halved = ({ dispatches }: Plan) => dispatches.some((d) => d.halves.length > 0);
    expect(halved(programs({ storage: 'f32' }).program.plan)).toBe(false);
    const { program, evaluation } = programs({ storage: 'f16' });
    expect(halved(program.plan)).toBe(true);
    // an evaluation keeps nothing for a backward pass
    expect(halved(evaluation.plan)).toBe(false);
  });
});

test('both programs find a parameter in the same place', () => {
  const { program, evaluation } = programs();
  const places = ({ plan: { tensors } }: typeof program) =>
    new Map(Object.entries(tensors).filter(([key]) => /^(parameter|state):/.test(key)));
  expect(places(program).size).toBe(7);
  expect(places(evaluation)).toEqual(places(program));
});

test('an evaluation has batches of 128 at most', () => {
  const sizes = (settings: Partial<RunSettings> = {}) =>
    [1, 127, 128, 129, 1000].map((count) =>
      evaluationBatch({ test: labelled(count), settings: { ...runSettings(), ...settings } }),
    );
  expect(sizes()).toEqual([1, 127, 128, 128, 128]);
  expect(sizes({ batch: 64, microBatch: 64 })).toEqual([1, 127, 128, 128, 128]);
  // what is short for training is short for testing
  expect(sizes({ batch: 64, microBatch: 32 })).toEqual([1, 32, 32, 32, 32]);
});

describe('other programs are there where a run needs them', () => {
  const names = (settings: Partial<RunSettings>) => Object.keys(programs(settings).plans).sort();

  test('none where whole batches train everything', () => {
    expect(names({ batch: 11 })).toEqual(['evaluate', 'train']);
    expect(names({ dropLast: true })).toEqual(['evaluate', 'train']);
  });

  test('a smaller step for the last batch', () => {
    const { plans } = programs();
    expect(constants(plans['train of 2']!, 'data/gather')).toMatchObject([{ N: 2, CAPACITY: 22 }]);
    expect(names({ headEpochs: 1 })).toEqual(['evaluate', 'head', 'head of 2', 'train', 'train of 2']);
  });

  test('a step that differentiates the head alone', () => {
    const { plans } = programs({ headEpochs: 1 });
    const gradients = ({ tensors }: Plan) =>
      Object.keys(tensors)
        .filter((key) => key.startsWith('gradient:'))
        .sort();
    expect(gradients(plans.head!)).toEqual(['gradient:fc.bias', 'gradient:fc.weight']);
    expect(gradients(plans.train)).toHaveLength(5);
    // what does not train is held still by its factors, and the other step needs none
    expect(constants(plans.head!, 'optim/sgd')).toMatchObject([{ GROUPS: true }]);
    expect(constants(plans.train, 'optim/sgd')[0].GROUPS).toBeUndefined();
  });

  test('averages behind each step, and an evaluation over them', () => {
    const { plans } = programs({ ema: 0.9 });
    const averages = ({ dispatches }: Plan) => dispatches.filter((d) => d.shader === 'optim/average').length;
    expect([plans.train, plans['train of 2']!, plans.evaluate].map(averages)).toEqual([2, 2, 0]);
    const buffers = (plan: Plan) =>
      new Set(plan.dispatches.flatMap((d) => Object.values(d.bindings).map(({ buffer }) => buffer)));
    expect(buffers(plans['evaluate average']!)).not.toContain('parameters');
    expect(buffers(plans['evaluate average']!)).toContain('average parameters');
    expect(buffers(plans['evaluate average']!)).toContain('average state');
    expect(plans['evaluate average']!.buffers['average state']).toBe(plans.evaluate.buffers.state);
  });
});
