import { expect, test } from 'vitest';
import { type CheckedDispatch, shaders } from '../../../src/gpu/wgsl/shaders';
import type { PlannedDispatch } from '../../../src/graph/ir';
import { GPU_TUNING, SOFTWARE_TUNING, TUNINGS_BY_VENDOR } from '../../../src/graph/tuning';
import { createModel } from '../../../src/model/zoo';
import { buildPrograms } from '../../../src/train/run-programs';
import type { RunSettings } from '../../../src/train/settings';
import { trainedModel } from '../../../src/train/trained-model';
import { variedArchitectures } from '../../architectures';
import { AUGMENTED, runSettings } from '../../settings';

await shaders.load();

/** The dispatches of a run's training step and of its evaluation. */
function dispatchesOf(name: string, changed: Partial<RunSettings>, tuning = GPU_TUNING): PlannedDispatch[] {
  const side = name.endsWith('_cifar') ? 32 : 64;
  const settings = { ...runSettings(), batch: 8, ...changed };
  const model = trainedModel(createModel(name, { classes: 10 }), settings);
  const images = { count: 64, height: side, width: side };
  const { program, evaluation } = buildPrograms({ model, settings, tuning, train: images, test: images });
  return [...program.plan.dispatches, ...evaluation.plan.dispatches];
}

const composed = new Set<string>();

/** What is wrong with dispatches, each fault once; composes each text once, which checks what no dispatch's check can. */
function faultsOf(dispatches: readonly CheckedDispatch[]): string[] {
  const faults = new Set<string>();
  for (const dispatch of dispatches) {
    const { shader, constants, halves } = dispatch;
    const text = JSON.stringify([shader, shaders.compiledConstants(shader, constants), halves]);
    try {
      shaders.check(dispatch);
      if (!composed.has(text)) shaders.compose(shader, constants, halves);
    } catch (error) {
      faults.add((error as Error).message);
    }
    composed.add(text);
  }
  return [...faults];
}

test.each(variedArchitectures)(
  'every dispatch of %s gives its shader what it declares, and no more',
  (name) => {
    for (const method of ['finetune', 'refocus', 'joint'] as const)
      expect(faultsOf(dispatchesOf(name, { method }))).toEqual([]);
    for (const workgroupMemory of [false, true])
      expect(faultsOf(dispatchesOf(name, { storage: 'f16' }, { ...GPU_TUNING, workgroupMemory }))).toEqual(
        [],
      );
  },
);

test.each<[string, Partial<RunSettings>]>([
  ['AdamW with clipping', { optimizer: 'adamw', clipNorm: 1 }],
  ['a refocused run with clipping', { method: 'refocus', clipNorm: 1 }],
  ['SGD without momentum', { momentum: 0, nesterov: false }],
  ['all that augments', AUGMENTED],
  ['all that augments, kept as f16', { ...AUGMENTED, storage: 'f16' }],
  ['resized crops alone', { cropScale: 0.1, interpolation: 'bicubic' }],
  ['CutMix and class weights', { cutmix: 1, balance: 'loss' }],
  ['dense maps', { method: 'refocus', path: 'dense', layers: 'spatial' }],
  ['preconditioned gradients', { method: 'precondition', preconditioner: 'own', layers: 'spatial' }],
  ['branches with norms', { method: 'branches', branches: 'dbb', layers: 'spatial' }],
  ['linear branches', { method: 'branches', branches: 'orepa', storage: 'f16' }],
  ['rounds', { method: 'refocus', rounds: 2 }],
  [
    'maps of one weight, no identity',
    { method: 'joint', path: 'dense', mapKernel: 1, mapInit: 'kaiming', identity: false },
  ],
])('the same with %s', (_, changed) => {
  for (const name of ['mobilenet_v2', 'resnet20_cifar'])
    for (const tuning of [SOFTWARE_TUNING, { ...GPU_TUNING, subgroups: true, workgroupMemory: true }])
      expect(faultsOf(dispatchesOf(name, changed, tuning))).toEqual([]);
});

test('the same as cut for the GPUs of each maker', () => {
  for (const tuning of new Set(TUNINGS_BY_VENDOR.values()))
    for (const name of ['mobilenet_v2', 'resnet20_cifar'])
      expect(faultsOf(dispatchesOf(name, {}, tuning))).toEqual([]);
});

test('a binding or a constant that an op forgets, or gives for nothing, is seen', () => {
  const dispatches = dispatchesOf('mobilenet_v2', {});
  const dispatch = dispatches.find((d) => d.shader === 'pointwise/forward' && d.bindings.coef)!;
  const { coef, ...bindings } = dispatch.bindings;
  const { STATISTICS: _, ...constants } = dispatch.constants;
  const { ROWS_PER_TILE: __, ...incomplete } = dispatch.constants;
  const path = 'shaders/pointwise/forward.wgsl';
  expect(faultsOf([{ ...dispatch, bindings }])).toEqual([
    `${path}: the binding coef is not given, but PROLOGUE is`,
  ]);
  expect(faultsOf([{ ...dispatch, bindings: { ...dispatch.bindings, residual: coef } }])).toEqual([
    `${path}: the binding residual is given, but not RESIDUAL, which it belongs to`,
  ]);
  expect(faultsOf([{ ...dispatch, constants }])).toEqual([
    `${path}: the binding partial is given, but not STATISTICS, which it belongs to`,
  ]);
  expect(faultsOf([{ ...dispatch, constants: incomplete }])).toEqual([
    `${path}: ROWS_PER_TILE must be given`,
  ]);
});
