import { expect, test } from 'vitest';
import { readSafetensors, writeSafetensors } from '../../src/io/safetensors';
import type { StateDict } from '../../src/io/tensor';
import { verifyCase } from '../../src/verify';
import { goldenNames, loadGolden } from '../goldens';
import { gpu } from './harness';

test.each(goldenNames())('%s agrees with PyTorch', async (name) => {
  const line = await verifyCase(await gpu(), name, await loadGolden(name));
  expect(line.verdict, `${line.message} (error ${line.error}, tolerance ${line.tolerance})`).toBe('pass');
  expect(line.tolerance).toBeGreaterThan(0);
});

/** What a golden case changed by `edit` comes to. */
async function verifyEdited(name: string, edit: (tensors: StateDict, metadata: Map<string, string>) => void) {
  const { tensors, metadata } = readSafetensors(await loadGolden(name), name);
  edit(tensors, metadata);
  return verifyCase(await gpu(), name, writeSafetensors(tensors, metadata));
}

/** Moves a tensor's largest element by `fraction` of itself. */
function disturb(tensors: StateDict, name: string, fraction: number): void {
  const data = tensors.get(name)!.data as Float32Array;
  const largest = data.reduce((at, v, i) => (Math.abs(v) > Math.abs(data[at]) ? i : at), 0);
  data[largest] *= 1 + fraction;
}

test.each([
  ['ops/conv2d_3x3', 'out.y'],
  ['ops/conv2d_3x3', 'grad.weight'],
  ['ops/batch_norm_train_odd', 'out.running_var'],
  ['ops/sgd_momentum', 'out.params'],
])('%s with one wrong number in %s fails', async (name, tensor) => {
  const line = await verifyEdited(name, (tensors) => disturb(tensors, tensor, 5e-4));
  expect(line).toMatchObject({ verdict: 'fail', message: expect.stringContaining(tensor) });
});

test.each([
  ['out.logits_eval', 5e-3],
  ['out.losses', 5e-3],
  ['grad.classifier.weight', 0.1],
  ['out.state.features.conv0.weight', 5e-3],
])('a network with one wrong number in %s fails', async (tensor, fraction) => {
  const line = await verifyEdited('models/densenet.refocus', (tensors) => disturb(tensors, tensor, fraction));
  expect(line).toMatchObject({ verdict: 'fail', message: expect.stringContaining(tensor) });
});

/** Multiplies what `change` says a tensor's numbers differ by from those of another, or from zero. */
function stretch(tensors: StateDict, prefix: RegExp, factor: number, from?: string): void {
  for (const [name, { data }] of tensors) {
    if (!prefix.test(name)) continue;
    const start = from && (tensors.get(name.replace(/^out\.state/, from))!.data as Float32Array);
    const numbers = data as Float32Array;
    for (let i = 0; i < numbers.length; i++) {
      const zero = start ? start[i] : 0;
      numbers[i] = zero + factor * (numbers[i] - zero);
    }
  }
}

/** Changes the attributes of a network's case. */
function editOptimizer(metadata: Map<string, string>, edit: (optimizer: Record<string, unknown>) => void) {
  const attrs = JSON.parse(metadata.get('attrs')!);
  edit(attrs.optimizer);
  metadata.set('attrs', JSON.stringify(attrs));
}

const wrongSteps: [string, (optimizer: Record<string, unknown>) => void, string][] = [
  [
    'another momentum',
    (o) => {
      o.momentum = 0.89;
    },
    'the length of the steps of',
  ],
  [
    'no decay',
    (o) => {
      o.weight_decay = 0;
    },
    'the length of the steps of',
  ],
  [
    'a hundredth less decay',
    (o) => {
      o.weight_decay = 0.891;
    },
    'the steps of',
  ],
  [
    'a learning rate a hundredth too large',
    (o) => {
      o.lr = 0.00202;
    },
    'the length of the steps of',
  ],
  [
    "Nesterov's momentum",
    (o) => {
      o.nesterov = true;
    },
    'the length of the steps of',
  ],
];
test.each(wrongSteps)('steps with %s fail', async (_, edit, message) => {
  const line = await verifyEdited('models/densenet.finetune', (__, metadata) =>
    editOptimizer(metadata, edit),
  );
  expect(line).toMatchObject({ verdict: 'fail', message: expect.stringContaining(message) });
});

test.each<[string, (tensors: StateDict) => void, string]>([
  ['gradients times 1.008', (t) => stretch(t, /^grad\./, 1.008), 'grad.'],
  [
    'one gradient times 1.008',
    (t) => stretch(t, /^grad\.classifier\.weight/, 1.008),
    'grad.classifier.weight',
  ],
  [
    'running means of another momentum',
    (t) => stretch(t, /^out\.state\..*running_mean$/, 1.01, 'state'),
    'the length of the steps of running_mean',
  ],
])('%s fail', async (_, edit, message) => {
  const line = await verifyEdited('models/densenet.finetune', edit);
  expect(line).toMatchObject({ verdict: 'fail', message: expect.stringContaining(message) });
});

test('a network without the state after its steps proves nothing', async () => {
  const line = await verifyEdited('models/densenet.finetune', (tensors) => {
    for (const name of tensors.keys()) if (name.startsWith('out.state.')) tensors.delete(name);
  });
  expect(line).toMatchObject({ verdict: 'fail', message: expect.stringContaining('lacks out.state') });
});

test('a NaN is no agreement', async () => {
  const line = await verifyEdited('ops/add', (tensors) => {
    (tensors.get('in.a')!.data as Float32Array)[0] = Number.NaN;
  });
  expect(line.verdict).toBe('fail');
});

test.each(['convolve', 'toString', ''])('an operation called "%s" is unknown', async (op) => {
  const line = await verifyEdited('ops/add', (_, metadata) => metadata.set('op', op));
  expect(line).toMatchObject({
    verdict: 'fail',
    message: expect.stringContaining(`unknown operation "${op}"`),
  });
});

test.each([
  ['ops/max_pool2d_2x2', { dilation: [2, 2] }, 'max_pool2d has no attribute dilation here (it takes kernel'],
  ['ops/avg_pool2d_3x3', { divisor_override: 4 }, 'avg_pool2d has no attribute divisor_override'],
  ['ops/cross_entropy_smoothed', { reduction: 'sum' }, 'cross_entropy: the attribute reduction is "sum"'],
  ['ops/gelu', { approximate: 'tanh' }, 'gelu: the attribute approximate is "tanh"'],
  ['ops/sgd_momentum', { dampening: 0.1 }, 'sgd: the attribute dampening is 0.1'],
  ['ops/adamw', { amsgrad: true }, 'adamw: the attribute amsgrad is true'],
  ['ops/conv2d_3x3', { padding_mode: 'reflect' }, 'conv2d has no attribute padding_mode'],
  ['ops/conv2d_3x3', { stride: [1, 0] }, 'conv2d: the attribute stride'],
  [
    'models/convnext.finetune',
    { optimizer: { lr: 0.1, maximize: true } },
    'optimizer has no attribute maximize',
  ],
  ['models/convnext.finetune', { label_smoothing: 0.1 }, 'a model has no attribute label_smoothing'],
  ['models/convnext.finetune', { kwargs: { stem: 3 } }, 'convnext has no argument stem'],
])('%s with %j is refused', async (name, attributes, message) => {
  const line = await verifyEdited(name, (_, metadata) => {
    metadata.set('attrs', JSON.stringify({ ...JSON.parse(metadata.get('attrs')!), ...attributes }));
  });
  expect(line).toMatchObject({ verdict: 'fail', message: expect.stringContaining(message) });
});

test.each([
  ['ops/refconv2d_dense', 'in.bias', 'refconv2d has no input bias here'],
  ['ops/sgd', 'in.momentum_buffer', 'sgd has no input momentum_buffer here'],
  ['ops/add', 'grad.c', 'grad.c belongs to no input'],
  ['models/convnext.finetune', 'out.logits', 'out.logits is no result of convnext'],
])('%s with a tensor %s is refused', async (name, tensor, message) => {
  const line = await verifyEdited(name, (tensors) => {
    tensors.set(tensor, { dtype: 'F32', shape: [1], data: new Float32Array(1) });
  });
  expect(line).toMatchObject({ verdict: 'fail', message: expect.stringContaining(message) });
});

test('a case without expectations fails', async () => {
  const line = await verifyEdited('ops/add', (tensors) => {
    for (const name of tensors.keys()) if (/^(out|grad)\./.test(name)) tensors.delete(name);
  });
  expect(line.verdict).toBe('fail');
});
