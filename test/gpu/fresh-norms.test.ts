import { expect, test } from 'vitest';
import { trainingOrder } from '../../src/data/order';
import type { UserFile } from '../../src/data/types';
import { encodeOnnx } from '../../src/io/onnx/encode';
import { openWeights, readWeights } from '../../src/io/weights-file';
import { withAddedNorms, withoutBiases } from '../../src/model/added-norms';
import { buildModel } from '../../src/model/builder';
import { initialState } from '../../src/model/init';
import { exportOnnx } from '../../src/model/onnx/export';
import { importOnnx } from '../../src/model/onnx/import';
import { uniforms } from '../../src/model/random';
import type { TrainEvent } from '../../src/run/job';
import { Memo } from '../../src/run/memo';
import { runTraining } from '../../src/run/run';
import { defaultSettings } from '../../src/train/settings';
import { startNorms } from '../../src/train/start-norms';
import { evaluateModel } from '../reference/model';
import { runSettings } from '../settings';
import { expectClose, gpu, numbers, source } from './harness';

const SIDE = 8;
const CLASSES = 10;

const deployed = buildModel({ name: 'deployed', classes: CLASSES }, (net, x) => {
  const biased = { bias: true };
  const stem = net.activation(net.conv('stem', x, 6, 3, biased), 'relu');
  const depthwise = net.activation(net.conv('depthwise', stem, 6, 3, { ...biased, groups: 6 }), 'hardswish');
  return net.head('fc', net.globalAvgPool(net.add(stem, net.conv('project', depthwise, 6, 1, biased))));
});
const state = initialState(deployed, 2);
for (const name of ['stem', 'depthwise', 'project']) {
  const { data } = state.get(`${name}.bias`)!;
  data.forEach((_, c) => {
    data[c] = 0.3 * c - 0.7;
  });
}

function someImages(count: number) {
  const { shape, data } = numbers([count, 3, SIDE, SIDE], source(4));
  return { shape, data: Float64Array.from(data) };
}

function images(count: number) {
  const draw = uniforms(1, 'pixels');
  const pixels = Uint8Array.from({ length: count * SIDE * SIDE * 3 }, () => draw() * 256);
  const labels = Uint16Array.from({ length: count }, (_, i) => i % CLASSES);
  return {
    pixels,
    labels,
    count,
    height: SIDE,
    width: SIDE,
    classes: Array.from({ length: CLASSES }, (_, c) => String(c)),
  };
}

test('fresh norms have the statistics of training images, and leave the network the function that it is', async () => {
  const train = images(21);
  const settings = runSettings({ microBatch: 8, seed: 5, mean: [0.5, 0.4, 0.3], std: [0.2, 0.3, 0.4] });
  const norms = await startNorms(await gpu(), { model: deployed, state }, { train, settings });
  const model = withAddedNorms(deployed);
  const start = new Map([...withoutBiases(state, model), ...norms]);
  const some = someImages(2);
  const [now, before] = [evaluateModel(model, start, some), evaluateModel(deployed, state, some)];
  expectClose(now.data, before.data, 1e-5, 'logits');

  // two whole batches of the first epoch's order, their pixels side by side
  const order = trainingOrder(train.count, settings.seed, 0).subarray(0, 16);
  const area = SIDE * SIDE;
  const x = Float64Array.from({ length: 16 * 3 * area }, (_, i) => {
    const [image, c, pixel] = [Math.floor(i / (3 * area)), Math.floor(i / area) % 3, i % area];
    const byte = train.pixels[(order[image] * area + pixel) * 3 + c];
    return (byte / 255 - settings.mean[c]) / settings.std[c];
  });
  const alone = { ...deployed, layers: deployed.layers.slice(0, 1), logits: 1 };
  const out = evaluateModel(alone, state, { shape: [16, 3, SIDE, SIDE], data: x });
  const of = (c: number) =>
    Array.from({ length: 16 * area }, (_, i) => out.data[(Math.floor(i / area) * 6 + c) * area + (i % area)]);
  const means = Array.from({ length: 6 }, (_, c) => of(c).reduce((a, b) => a + b) / (16 * area));
  const variances = means.map((mean, c) => of(c).reduce((a, v) => a + (v - mean) ** 2, 0) / (16 * area - 1));
  expectClose(norms.get('stem.norm.bias')!.data as Float32Array, means, 1e-5, 'means');
  // the variance of batches is put together of unbiased ones
  expectClose(norms.get('stem.norm.running_var')!.data as Float32Array, variances, 5e-3, 'variances');
});

test('an ONNX network without norms trains with fresh ones, and leaves as the same file with other numbers', async () => {
  const graph = exportOnnx(deployed, state, {
    size: SIDE,
    preprocessing: false,
    softmax: false,
    fold: false,
  });
  const bytes = encodeOnnx(graph, new Map());
  const file = (path: string, header: number[], content: Uint8Array<ArrayBuffer>): UserFile => ({
    path,
    blob: new Blob([new Uint8Array(new Uint32Array(header).buffer).reverse(), content]),
  });
  const set = (name: string, count: number) => {
    const { pixels } = images(count);
    const gray = pixels.slice(0, count * SIDE * SIDE);
    const labels = Uint8Array.from({ length: count }, (_, i) => i % CLASSES);
    return [
      file(`${name}-images-idx3-ubyte`, [SIDE, SIDE, count, 0x803], gray),
      file(`${name}-labels-idx1-ubyte`, [count, 0x801], labels),
    ];
  };
  const events: TrainEvent[] = [];
  const { report, files, merged } = await runTraining(
    {
      model: { kind: 'file', files: [{ path: 'net.onnx', blob: new Blob([bytes]) }] },
      train: { kind: 'files', files: [...set('train', 24), ...set('t10k', 10)] },
      settings: {
        ...defaultSettings(),
        norms: true,
        epochs: 2,
        batch: 8,
        repeats: 1,
        lr: 0.05,
        imageSize: SIDE,
      },
    },
    { gpu, memo: new Memo(), control: { cancelled: false }, emit: (event) => events.push(event) },
  );
  expect(report.proof.ok).toBe(true);
  expect(events.flatMap((event) => (event.type === 'note' ? [event.message] : [])).join(' ')).toContain(
    '3 convolutions have a fresh batch norm for the training',
  );
  const onnx = files.find(({ name }) => name === 'merged.onnx')!.bytes;
  expect(onnx.length).toBe(bytes.length);
  const { tensors } = await readWeights({ path: 'merged', blob: new Blob([merged]) });
  expect([...tensors.keys()].sort()).toEqual([...state.keys()].sort());
  const some = someImages(1);
  const expected = evaluateModel(deployed, tensors, some).data;
  const opened = await openWeights({ path: 'merged.onnx', blob: new Blob([onnx]) });
  const again = importOnnx(opened.onnx!.graph);
  expectClose(evaluateModel(again.model, again.state, some).data, expected, 1e-6, 'merged.onnx');
  const before = evaluateModel(deployed, state, some).data;
  expect(Math.max(...before.map((v, i) => Math.abs(v - expected[i])))).toBeGreaterThan(1e-3);
});
