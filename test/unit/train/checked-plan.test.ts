import { expect, test } from 'vitest';
import { shaders } from '../../../src/gpu/wgsl/shaders';
import { createModel } from '../../../src/model/zoo';
import { checkedPlan, firstFailed } from '../../../src/train/checked-plan';
import { nonFiniteSentence } from '../../../src/train/non-finite';
import { trainingGraph } from '../../../src/train/programs';
import { stepOf } from '../../../src/train/run-programs';
import { trainedModel } from '../../../src/train/trained-model';
import { runSettings } from '../../settings';

await shaders.load();

function checkedStep(arch: string, storage: 'f32' | 'f16') {
  const settings = runSettings({ batch: 4, storage });
  const images = { count: 16, height: 64, width: 64 };
  const model = trainedModel(createModel(arch, { classes: 10 }), settings);
  const step = stepOf({ model, settings, train: images, test: images }, 'all', { rows: 4, ends: true });
  return { model, ...checkedPlan(trainingGraph(step).graph, settings, { layout: {} }) };
}

// between them every kind of layer
test.each(['mobilenet_v2', 'efficientnet_b0', 'shufflenet_v2_x0_5', 'convnextv2_atto', 'resnet50d'])(
  'a step of %s with a check behind every layer can be bound',
  (arch) => {
    for (const storage of ['f32', 'f16'] as const) {
      const { model, plan, checks } = checkedStep(arch, storage);
      const composed = new Set<string>();
      for (const dispatch of plan.dispatches) {
        shaders.check(dispatch);
        const { shader, constants, halves } = dispatch;
        const key = JSON.stringify([shader, shaders.compiledConstants(shader, constants), halves]);
        if (!composed.has(key)) shaders.compose(shader, constants, halves);
        composed.add(key);
      }
      const checked = new Set(checks.map(({ node: { name, phase } }) => `${phase} ${name}`));
      for (const layer of model.layers) {
        if (layer.kind !== 'conv' && layer.kind !== 'linear') continue;
        expect(checked).toContain(`forward ${layer.name}`);
        expect(checked).toContain(`backward ${layer.name}`);
      }
    }
  },
);

test('the first check that fails, in order of execution, is told', () => {
  const { checks } = checkedStep('mobilenet_v2', 'f32');
  const flags = (bad: number[]) => checks.map((_, i) => Float32Array.of(bad.includes(i) ? 1 : 0));
  const last = checks.length - 1;
  expect(firstFailed(checks, flags([]))).toBeUndefined();
  expect(firstFailed(checks, flags([last]))).toMatchObject({ pass: 'backward' });
  const second = checks.findIndex(({ node }) => node.name === 'features.1.conv.0.0');
  expect(firstFailed(checks, flags([second, last]))).toMatchObject({
    pass: 'forward',
    layer: 'features.1.conv.0.0',
  });
  const loss = checks.findIndex(({ node }) => node.op.name === 'cross_entropy');
  expect(firstFailed(checks, flags([loss]))).toMatchObject({ pass: 'loss' });
});

test('of f16 activations the bound is told', () => {
  const found = { step: 3, pass: 'forward', layer: 'features.0.0', kind: 'conv2d' } as const;
  expect(nonFiniteSentence(found, 'f16')).toMatch(/^The first .*step 3.*features\.0\.0 .*65,504/);
  expect(nonFiniteSentence(found, 'f32')).not.toContain('65,504');
});
