import { expect, test } from 'vitest';
import { printPlan } from '../../../src/graph/print';
import { buildModel } from '../../../src/model/builder';
import { architectureNames, createModel } from '../../../src/model/zoo';
import { leastBytes } from '../../../src/run/least-bytes';
import { leastMemory } from '../../../src/run/least-memory';
import { buildPrograms } from '../../../src/train/run-programs';
import type { RunSettings } from '../../../src/train/settings';
import { trainedModel } from '../../../src/train/trained-model';
import { runSettings } from '../../settings';

// `npm run plans` writes these files anew: what a change makes of the plans is then read in the diff

/** A little of everything, in odd sizes: nothing that a plan is made of should change without a trace. */
const tiny = buildModel({ name: 'tiny', classes: 5 }, (net, x) => {
  let y = net.batchNorm('stem.bn', net.conv('stem.conv', x, 6, 3, { stride: 2 }), 'relu6');
  const shortcut = y;
  y = net.batchNorm('expand.bn', net.conv('expand.conv', y, 10, 1), 'hardswish');
  y = net.batchNorm('depthwise.bn', net.conv('depthwise.conv', y, 10, 3, { groups: 10 }), 'relu');
  y = net.add(shortcut, net.batchNorm('project.bn', net.conv('project.conv', y, 6, 1)));
  y = net.batchNorm('last.bn', net.conv('last.conv', y, 9, 3), 'relu6');
  let gate = net.activation(net.conv('gate.down', net.globalAvgPool(y), 4, 1, { bias: true }), 'relu');
  gate = net.activation(net.conv('gate.up', gate, 9, 1, { bias: true }), 'hardsigmoid');
  y = net.mul(y, gate);
  return net.head('fc', net.dropout(net.globalAvgPool(y), 0.2));
});

/** All that a plan depends on, so that other defaults change no plan here. */
const settings: RunSettings = {
  ...runSettings(),
  method: 'refocus',
  layers: 'auto',
  path: 'auto',
  mapKernel: 3,
  mapInit: 'kaiming',
  identity: true,
  batch: 4,
  optimizer: 'sgd',
  momentum: 0.9,
  nesterov: true,
  weightDecay: 1e-4,
  clipNorm: 2,
  labelSmoothing: 0.1,
  cropPadding: 1,
  flip: true,
  storage: 'f32',
  mean: [0.5, 0.4, 0.3],
  std: [0.2, 0.3, 0.4],
};

test('the plans of a tiny network, line by line', async () => {
  const images = { count: 8, height: 9, width: 9 };
  const model = trainedModel(tiny, settings);
  const { program, evaluation } = buildPrograms({ model, settings, train: images, test: images });
  const text = [
    '# training step',
    printPlan(program.plan),
    '',
    '# evaluation',
    printPlan(evaluation.plan),
    '',
  ].join('\n');
  await expect(text).toMatchFileSnapshot('../../tiny-plan.txt');
});

test('what a step and an evaluation of every architecture cost', async () => {
  const lines = architectureNames().flatMap((name) => {
    const side = name.endsWith('_cifar') ? 32 : 64;
    const images = { count: 8, height: side, width: side };
    return (['finetune', 'refocus'] as const).flatMap((method) => {
      const s = { ...settings, method, batch: 8, clipNorm: 0 };
      const model = trainedModel(createModel(name, { classes: 10 }), s);
      const { program, evaluation } = buildPrograms({ model, settings: s, train: images, test: images });
      return Object.entries({ step: program, evaluation }).map(([what, { plan }]) => {
        const { dispatches, bytes, flops, peakBytes } = plan.totals;
        const least = what === 'step' && {
          minBytes: leastBytes(program, 4),
          minPeakBytes: leastMemory(program, 4),
        };
        return `  "${name} ${method} ${what}": ${JSON.stringify({ dispatches, bytes, flops, peakBytes, ...least })}`;
      });
    });
  });
  await expect(`{\n${lines.join(',\n')}\n}\n`).toMatchFileSnapshot('../../plans.json');
}, 240_000);
