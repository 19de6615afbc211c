import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { version } from '../../../package.json';
import type { UserFile } from '../../../src/data/types';
import { Discarded, Stopped, UserError } from '../../../src/errors';
import { pipelinesOf } from '../../../src/gpu/pipelines';
import { encodeOnnx } from '../../../src/io/onnx/encode';
import { writeSafetensors } from '../../../src/io/safetensors';
import type { StateDict } from '../../../src/io/tensor';
import { readWeights } from '../../../src/io/weights-file';
import { initialState } from '../../../src/model/init';
import { exportOnnx } from '../../../src/model/onnx/export';
import { createModel } from '../../../src/model/zoo';
import type { RunContext, TrainEvent, TrainJob } from '../../../src/run/job';
import { Memo } from '../../../src/run/memo';
import { mergeFile, mergeIntoOnnx } from '../../../src/run/merge-file';
import { runTraining } from '../../../src/run/run';
import { warmUp } from '../../../src/run/warm-up';
import { defaultSettings, type TrainSettings } from '../../../src/train/settings';
import { type FakeDevice, type FakeGpu, fakeGpu } from '../fake-gpu';
import { type Behaviour, fakeNetwork } from '../fake-network';

const SIDE = 8;

/** A pair of IDX files of `count` gray squares, ten classes in turn. */
function idx(count: number, name = 'a'): UserFile[] {
  const file = (path: string, header: number[], content: Uint8Array<ArrayBuffer>) => ({
    path,
    // reversed bytes are big-endian numbers in reversed order
    blob: new Blob([new Uint8Array(new Uint32Array(header).buffer).reverse(), content]),
  });
  const pixels = Uint8Array.from({ length: count * SIDE * SIDE }, (_, i) => (i * 7919) % 251);
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 10);
  return [
    file(`${name}-images-idx3-ubyte`, [SIDE, SIDE, count, 0x803], pixels),
    file(`${name}-labels-idx1-ubyte`, [count, 0x801], labels),
  ];
}

const ARCH = {
  arch: 'mobilenet_v2',
  width: 0.25,
  classes: 10,
  kwargs: { inverted_residual_setting: [[1, 8, 1, 1]] },
};
const { arch: name, ...rest } = ARCH;
const MODEL = createModel(name, rest);

/** A weights file as DataParallel saves one, with counters. */
function weightsFile(dtype: 'F32' | 'F16' = 'F32'): { file: UserFile; state: StateDict } {
  const state = new Map([...initialState(MODEL, 3)].map(([key, tensor]) => [key, { ...tensor, dtype }]));
  const prefixed: StateDict = new Map([...state].map(([key, tensor]) => [`module.${key}`, tensor]));
  for (const key of state.keys())
    if (key.endsWith('running_var'))
      prefixed.set(`module.${key.replace('running_var', 'num_batches_tracked')}`, {
        dtype: 'I64',
        shape: [],
        data: BigInt64Array.of(5n),
      });
  return { file: { path: 'net.safetensors', blob: new Blob([writeSafetensors(prefixed)]) }, state };
}

const job = (settings: Partial<TrainSettings> = {}, more: Partial<TrainJob> = {}): TrainJob => ({
  model: { kind: 'file', network: ARCH, files: [weightsFile().file] },
  train: { kind: 'files', files: [...idx(36, 'train'), ...idx(4, 't10k')] },
  settings: {
    ...defaultSettings(),
    method: 'finetune',
    epochs: 2,
    batch: 9,
    repeats: 1,
    seed: 4,
    ...settings,
  },
  ...more,
});

/** Logits of ten classes whose largest is the image's own. */
const logits: Behaviour['logits'] = (image) =>
  Array.from({ length: 10 }, (_, c) => (c === image % 10 ? 5 : -c));

/** Runs a job on fake devices, a new one once the last is lost. */
async function run(
  trainJob: TrainJob,
  behaviour: Behaviour = {},
  onEvent: (event: TrainEvent, gpu: FakeGpu, context: RunContext) => void = () => {},
) {
  const { compute, batches } = fakeNetwork({ logits, stride: 12, ...behaviour });
  const gpus: FakeGpu[] = [];
  const events: TrainEvent[] = [];
  const context: RunContext = {
    gpu: async () => {
      if (!gpus.at(-1) || gpus.at(-1)!.failure.error) gpus.push(fakeGpu(compute));
      return gpus.at(-1)!;
    },
    memo: new Memo(),
    control: { cancelled: false },
    emit(event) {
      events.push(event);
      onEvent(event, gpus.at(-1)!, context);
    },
  };
  const result = await runTraining(trainJob, context);
  return { result, events, batches, gpus, context };
}

const phases = (events: TrainEvent[]) => events.flatMap((e) => (e.type === 'phase' ? [e.phase] : []));
/** What a run warns of once its images are loaded. */
const warnings = (events: TrainEvent[]) =>
  events
    .slice(events.findIndex((e) => e.type === 'phase' && e.phase === 'baseline'))
    .flatMap((e) => (e.type === 'warning' ? [e.message] : []));
const numbers = (state: StateDict, key: string) => Array.from(state.get(key)!.data as ArrayLike<number>);
/** Expects numbers within a ten-thousandth; one assertion, for there are thousands of weights. */
function expectClose(actual: number[], expected: number[]): void {
  expect(actual).toHaveLength(expected.length);
  const worst = Math.max(...actual.map((v, i) => Math.abs(v - expected[i])));
  expect(worst).toBeLessThan(1e-4);
}

const read = async (bytes: Uint8Array<ArrayBuffer>) =>
  readWeights({ path: 'result.safetensors', blob: new Blob([bytes]) });

describe('a run', () => {
  test.each([
    ['warns once of a network that training makes much worse', 'finetune', 1],
    ['does not where the training began with random weights', 'retrain', 0],
  ] as const)('%s', async (_, method, times) => {
    const images = 40;
    let tested = 0;
    const metrics: Behaviour['metrics'] = ({ program, rows }) => {
      if (program === 'train') return [rows * 2, rows / 2];
      tested += rows;
      return [rows, tested <= images ? rows : 0];
    };
    const train: TrainJob['train'] = { kind: 'files', files: [...idx(36, 'train'), ...idx(images, 't10k')] };
    const { events } = await run(job({ lr: 0.02, method }, { train }), { metrics });
    const words = expect.stringMatching(/^After epoch 1 it tells 0.0 % .* 100.0 %: .* such as 0.002,/);
    expect(warnings(events)).toEqual(Array(times).fill(words));
  });

  test('tells its course, from the network as it was loaded to the proof', async () => {
    let evaluations = 0;
    const metrics: Behaviour['metrics'] = ({ program, rows }) =>
      program === 'train' ? [rows * 2, rows / 2] : [rows, [1, 3, 2][evaluations++] ?? 0];
    const { result, events, gpus } = await run(job(), { metrics });
    expect(phases(events).filter((p) => p !== 'load')).toEqual([
      'compile',
      'train',
      'baseline',
      'train',
      'merge',
      'prove',
    ]);
    // the first step is there before the network is measured that it began with
    const order = events.flatMap((e) => (e.type === 'steps' || e.type === 'eval' ? [e.type] : []));
    expect(order.slice(0, 2)).toEqual(['steps', 'eval']);
    const evals = events.flatMap((e) =>
      e.type === 'eval' ? [[e.which, e.point.step, e.point.accuracy]] : [],
    );
    expect(evals).toEqual([
      ['base', 0, 0.25],
      ['epoch', 4, 0.75],
      ['epoch', 8, 0.5],
      ['last', 8, 0.5],
      ['best', 4, 0.75],
    ]);
    const plan = events.find((e) => e.type === 'plan')!;
    expect(plan).toMatchObject({ steps: 8, images: 36, testImages: 4 });
    expect(plan.classes).toHaveLength(10);
    const { report } = result;
    expect(report).toMatchObject({
      accuracy: { base: 0.25, last: 0.5, best: 0.75 },
      best: 1,
      ended: 'finished',
      steps: 8,
      adapter: 'a fake GPU',
      tuning: gpus[0].tuning,
      plan: {
        dispatches: plan.dispatches,
        bytesPerStep: plan.bytesPerStep,
        peakBytes: plan.peakBytes,
      },
    });
    expect(report.proof).toMatchObject({ ok: true, images: 4, top1Agreement: 1, maxAbsLogitDiff: 0 });
    expect(report.seconds).toBeGreaterThan(0);
    expect(report.seconds).toBeLessThan(600);
    expect(result.metrics).toHaveLength(8);
    expect(result.evals.map(({ step }) => step)).toEqual([4, 8]);
    expect(gpus).toHaveLength(1);
    expect(gpus[0].leaks()).toEqual([]);
  });

  test('trains on the part that trains, and tests on the other', async () => {
    const { batches } = await run(job({ batch: 6 }));
    const training = batches.filter((b) => b.program === 'train');
    expect(training).toHaveLength(12);
    const epoch = training.slice(0, 6).flatMap(({ images }) => images);
    expect([...epoch].sort((a, b) => a - b)).toEqual(Array.from({ length: 36 }, (_, i) => i));
    for (const b of batches.filter((b) => b.program === 'evaluate')) expect(b.rows).toBe(4);
  });

  const whole: TrainJob['train'] = { kind: 'files', files: idx(40) };

  test('holds some of each class out where there is no part to test with, and tells it', async () => {
    const { events, batches, result } = await run(job({}, { train: whole }));
    expect(events.find((e) => e.type === 'plan')).toMatchObject({ images: 30, testImages: 10 });
    const held = batches.find((b) => b.program === 'evaluate')!;
    expect([...held.labels].sort((a, b) => a - b)).toEqual(Array.from({ length: 10 }, (_, i) => i));
    const told = events.find((e) => e.type === 'data')!;
    expect(told.reports[0].notes.join()).toContain('held out: 20 % of each class');
    expect(result.report.data).toMatchObject([{ source: told.reports[0].source, skipped: 0 }]);
  });

  test('takes all images where test images are given', async () => {
    const test: TrainJob['test'] = { kind: 'files', files: idx(12) };
    const { events, batches } = await run(job({}, { train: whole, test }));
    expect(events.find((e) => e.type === 'plan')).toMatchObject({ steps: 10, images: 40, testImages: 12 });
    expect(batches.find((b) => b.program === 'evaluate')!.rows).toBe(12);
  });

  test('follows the schedule of its settings', async () => {
    const { batches } = await run(job({ schedule: 'step', lr: 0.5, epochs: 4 }));
    const rates = batches.filter((b) => b.program === 'train').map(({ lr }) => lr);
    const expected = [...new Array(8).fill(0.5), ...new Array(4).fill(0.05), ...new Array(4).fill(0.005)];
    rates.forEach((lr, i) => {
      expect(lr).toBeCloseTo(expected[i], 6);
    });
  });

  test('trains a new head alone at first, but not where all of the network is new', async () => {
    const told = async (trainJob: TrainJob) =>
      (await run(trainJob)).events.some(
        (e) => e.type === 'note' && e.message.startsWith('The classifier trains alone'),
      );
    expect(await told(job({ head: 'new' }))).toBe(true);
    expect(await told(job())).toBe(false);
    expect(await told(job({}, { model: { kind: 'random', network: ARCH, seed: 1 } }))).toBe(false);
  });

  test('knows the redundancy of each spatial convolution before and after', async () => {
    const { events, result } = await run(job());
    const seen = events.flatMap((e) =>
      e.type === 'redundancy' ? [[e.when, e.layers.map((l) => l.name)]] : [],
    );
    const layers = ['features.0.0', 'features.1.conv.0.0'];
    expect(seen).toEqual([
      ['before', layers],
      ['after', layers],
    ]);
    expect(result.report.redundancy.map(({ name }) => name)).toEqual(layers);
    const [before, after] = events.flatMap((e) => (e.type === 'redundancy' ? [e.layers[1]] : []));
    expect(result.report.redundancy[1].before.divergence).toBe(before.divergence);
    expect(result.report.redundancy[1].after).toEqual({
      divergence: after.divergence,
      cosine: after.cosine,
      effectiveRank: after.effectiveRank,
    });
  });

  test.each(['refocus', 'finetune'] as const)(
    'of method %s tells how its kernels stand while it is watched, and comes to the same bits',
    async (method) => {
      const looks = (events: TrainEvent[]) =>
        events.flatMap((e) => (e.type === 'redundancy' && e.when === 'now' ? [e] : []));
      const plain = await run(job({ method }));
      expect(looks(plain.events)).toEqual([]);
      const watched = await run(job({ method }), {}, (event, _, { control }) => {
        if (event.type === 'phase' && event.phase === 'compile') control.watched = true;
      });
      const [look] = looks(watched.events);
      expect(looks(watched.events)).toHaveLength(1);
      expect(look.step).toBe(1);
      expect(look.layers.map((l) => l.name)).toEqual(['features.0.0', 'features.1.conv.0.0']);
      expect(look.layers[1].kernels).not.toEqual(
        watched.events.flatMap((e) => (e.type === 'redundancy' ? [e.layers[1].kernels] : []))[0],
      );
      expect(watched.result.merged).toEqual(plain.result.merged);
      expect(watched.batches).toEqual(plain.batches);
    },
  );

  test('stops where it is told to, and saves what it has', async () => {
    const { result } = await run(job({ epochs: 5 }), {}, (event, _, { control }) => {
      if (event.type === 'eval' && event.which === 'epoch') control.cancelled = true;
    });
    expect(result.report.ended).toBe('stopped');
    expect(result.report.steps).toBe(4);
    expect((await read(result.merged)).tensors.size).toBeGreaterThan(10);
  });
});

describe('a run that is stopped', () => {
  const at =
    (phase: string) =>
    (event: TrainEvent, _: FakeGpu, { control }: RunContext) => {
      if (event.type === 'phase' && event.phase === phase) control.cancelled = true;
    };

  test.each([
    ['while images are read', 'load'],
    ['while ways are timed', 'tune'],
    ['while the step is compiled', 'compile'],
  ])('%s has trained nothing, and says so', async (_, phase) => {
    const events: TrainEvent[] = [];
    const stopped = run(job({ autotune: true }), {}, (event, ...rest) => {
      events.push(event);
      at(phase)(event, ...rest);
    });
    await expect(stopped).rejects.toThrow(Stopped);
    expect(phases(events).at(-1)).toBe(phase);
  });

  test('and discarded while it is merged or proven leaves nothing', async () => {
    for (const phase of ['merge', 'prove']) {
      const discarded = run(job(), {}, (event, _, { control }) => {
        if (event.type === 'phase' && event.phase === phase) control.discarded = control.cancelled = true;
      });
      await expect(discarded, phase).rejects.toThrow(Discarded);
    }
  });

  test('while the step is compiled does not wait for it', async () => {
    const stopped = run(job(), {}, (event, gpu, { control }) => {
      if (event.type !== 'phase' || event.phase !== 'compile') return;
      gpu.device.createComputePipelineAsync = () => new Promise(() => {});
      setTimeout(() => {
        control.cancelled = true;
      }, 20);
    });
    await expect(stopped).rejects.toThrow(Stopped);
  });

  test('while the network is measured that it began with keeps its step, and measures that network in the end', async () => {
    let measured = 0;
    let stop = () => {};
    const metrics: Behaviour['metrics'] = ({ program, rows }) => {
      if (program === 'evaluate' && measured++ === 0) stop();
      return [rows, rows / 2];
    };
    const test: TrainJob['test'] = { kind: 'files', files: idx(300) };
    let measuredAtStop = 0;
    const { result, events } = await run(job({}, { test }), { metrics }, (event, _, { control }) => {
      stop = () => {
        control.cancelled = true;
      };
      if (event.type === 'phase' && event.phase === 'train') measuredAtStop = measured;
    });
    // of three batches
    expect(measuredAtStop).toBe(1);
    expect(result.report).toMatchObject({ ended: 'stopped', steps: 1, accuracy: { base: 0.5 } });
    expect(events.flatMap((e) => (e.type === 'eval' ? [e.which] : []))).toEqual([
      'epoch',
      'base',
      'last',
      'best',
    ]);
  });

  test.each(['merge', 'prove'])('in the %s goes on to its end', async (phase) => {
    const { result } = await run(job(), {}, at(phase));
    expect(result.report).toMatchObject({ ended: 'finished', steps: 8, proof: { ok: true } });
  });
});

describe('a run that gains nothing', () => {
  const evaluations = (...correct: number[]): Behaviour => {
    let i = 0;
    return { metrics: ({ program }) => [1, program === 'train' ? 0 : correct[i++]] };
  };

  test('says so, and its best network is the one that was loaded', async () => {
    const { state } = weightsFile();
    const { result, events } = await run(
      job({ method: 'refocus', mapInit: 'kaiming' }),
      evaluations(2, 2, 1),
    );
    expect(result.report).toMatchObject({ best: 'base', accuracy: { base: 0.5, last: 0.25, best: 0.5 } });
    const notes = events.flatMap((e) => (e.type === 'note' ? [e.message] : []));
    expect(notes.at(-1)).toMatch(/^No gain: .* Keep your network/);
    const points = events.flatMap((e) => (e.type === 'eval' && e.which === 'best' ? [e.point] : []));
    expect(points).toEqual([{ step: 0, epoch: 0, accuracy: 0.5, loss: 0.25 }]);
    const { tensors, prefix } = await read(result.best);
    expect(prefix).toBe('module.');
    for (const key of state.keys()) expect(numbers(tensors, key)).toEqual(numbers(state, key));
    expect(numbers((await read(result.merged)).tensors, 'classifier.1.bias')).not.toEqual(
      numbers(state, 'classifier.1.bias'),
    );
    expect(result.report.proof.ok).toBe(true);
  });

  test('is none where an epoch is better', async () => {
    const { result, events } = await run(job(), evaluations(2, 3, 1));
    expect(result.report.best).toBe(1);
    expect(events.some((e) => e.type === 'note' && e.message.startsWith('No gain'))).toBe(false);
  });

  test('has nothing to be compared with where the classifier is new', async () => {
    const { result } = await run(job({ head: 'new' }), evaluations(0, 0));
    expect(result.report.best).toBe(1);
    expect(result.report.accuracy.base).toBeUndefined();
    expect(result.report.network.newHead).toBe(true);
  });
});

describe('the files of a run', () => {
  /** The second of three evaluations is the best: after the first epoch. */
  const bestFirst = (): Behaviour => {
    let evaluations = 0;
    return { metrics: ({ program }) => [1, program === 'train' ? 0 : [0, 3, 1][evaluations++]] };
  };

  test('have the input’s names, prefix and shapes, and the numbers of their epoch', async () => {
    const { state } = weightsFile();
    const { result } = await run(job(), bestFirst());
    for (const [file, steps] of [
      [result.merged, 8],
      [result.best, 4],
    ] as const) {
      const { tensors, prefix } = await read(file);
      expect(prefix).toBe('module.');
      expect(tensors.get('features.0.1.num_batches_tracked')!.data).toEqual(BigInt64Array.of(5n));
      expect([...tensors.keys()].filter((key) => !key.endsWith('tracked')).sort()).toEqual(
        [...state.keys()].sort(),
      );
      for (const [key, { shape }] of state) {
        expect(tensors.get(key)!.shape).toEqual(shape);
        // the fake device adds 1 to each parameter in each step, and leaves the running statistics
        const added = key.includes('running') ? 0 : steps;
        expectClose(
          numbers(tensors, key),
          numbers(state, key).map((v) => v + added),
        );
      }
    }
  });

  test('of maps that train keep everything else, and the bases are merged with the maps', async () => {
    const { state } = weightsFile();
    const { result } = await run(job({ method: 'refocus', path: 'dense' }));
    const { tensors } = await read(result.merged);
    expect([...tensors.keys()].some((key) => key.includes('convmap'))).toBe(false);
    const basis = numbers(state, 'features.1.conv.0.0.weight');
    // after 8 steps every number of the 8 x 8 maps of 3 x 3 is 8: each tap adds 8 times the taps around it
    const taps = (row: number, column: number) => {
      let sum = 0;
      for (let plane = 0; plane < 8; plane++)
        for (let r = Math.max(0, row - 1); r <= Math.min(2, row + 1); r++)
          for (let c = Math.max(0, column - 1); c <= Math.min(2, column + 1); c++)
            sum += basis[plane * 9 + r * 3 + c];
      return sum;
    };
    expectClose(
      numbers(tensors, 'features.1.conv.0.0.weight'),
      basis.map((w, i) => w + 8 * taps(Math.floor(i / 3) % 3, i % 3)),
    );
    // a plain convolution trains by itself
    expectClose(
      numbers(tensors, 'features.0.0.weight'),
      numbers(state, 'features.0.0.weight').map((w) => w + 8),
    );
  });

  test('have the input’s type, which is told, and the proof is about the numbers before they are rounded', async () => {
    const { file } = weightsFile('F16');
    const { result, events } = await run(job({}, { model: { kind: 'file', network: ARCH, files: [file] } }));
    const { tensors } = await read(result.merged);
    expect(tensors.get('classifier.1.weight')!.dtype).toBe('F16');
    expect(tensors.get('features.0.1.num_batches_tracked')!.dtype).toBe('I64');
    expect(warnings(events)).toEqual([expect.stringMatching(/weights are f16: they are trained as f32/)]);
    expect(result.report.proof.ok).toBe(true);
    const plain = await run(job());
    expect(warnings(plain.events)).toEqual([]);
    expect((await read(plain.result.merged)).tensors.get('classifier.1.weight')!.dtype).toBe('F32');
  });

  test('have beside them the classes and a check, and both formats where they are asked for', async () => {
    const { result } = await run(job({ format: 'both' }));
    const files = new Map(result.files.map(({ name, bytes }) => [name, bytes]));
    expect([...files.keys()]).toEqual([
      'labels.txt',
      'predictions.csv',
      // no epoch was better than the network as it was loaded
      'best-predictions.csv',
      'merged.pth',
      'best.pth',
      'check.safetensors',
      'check.py',
      'base-predictions.csv',
      'redundancy.safetensors',
    ]);
    const text = (name: string) => new TextDecoder().decode(files.get(name)!);
    expect(text('labels.txt')).toBe('0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n');
    expect(text('check.py')).toContain('state = read("merged.safetensors")');
    expect(text('check.py')).toContain('removeprefix("module.")');
    // four test images, and the logits of each
    const check = (await read(files.get('check.safetensors')!)).tensors;
    expect(check.get('logits')!.shape).toEqual([4, 10]);
    expect(check.get('input')!.shape).toEqual([4, 3, SIDE, SIDE]);
    // the .pth is the .safetensors in every name and number, and what it says of itself
    const [pth, merged] = [await read(files.get('merged.pth')!), await read(result.merged)];
    expect(pth.metadata).toEqual(merged.metadata);
    expect(Object.fromEntries(pth.tensors)).toEqual(Object.fromEntries(merged.tensors));
  });

  test('unmerged of an ONNX model: merges into the file that the run has written', async () => {
    const options = { size: SIDE, preprocessing: false, softmax: false, fold: true };
    const bytes = encodeOnnx(exportOnnx(MODEL, initialState(MODEL, 3), options), new Map());
    const onnx = [{ path: 'net.onnx', blob: new Blob([bytes]) }];
    const source: Partial<TrainJob> = { model: { kind: 'file', files: onnx } };
    const refocus = { method: 'refocus', path: 'dense', unmerged: true } as const;
    const { result } = await run(job(refocus, source));
    const file = (name: string) => result.files.find((other) => other.name === name)!.bytes;
    const unmerged = [{ path: 'unmerged.safetensors', blob: new Blob([file('unmerged.safetensors')]) }];
    await expect(mergeFile(unmerged)).rejects.toThrow(/came as an ONNX model: name that too/);
    const merged = await mergeIntoOnnx(unmerged, onnx);
    expect(merged).toMatchObject({ format: 'onnx', maps: 1 });
    expect([...merged.bytes]).toEqual([...file('merged.onnx')]);
  });

  test('unmerged: a file of bases and maps, which a run goes on from and which merges to the same', async () => {
    const refocus = { method: 'refocus', path: 'dense', unmerged: true } as const;
    const { result } = await run(job(refocus));
    const { bytes } = result.files.find(({ name }) => name === 'unmerged.safetensors')!;
    const { state } = weightsFile();
    const file = await read(bytes);
    const keys = [...file.tensors.keys()];
    const layer = 'features.1.conv.0.0';
    expect(keys.indexOf(`${layer}.convmap.weight`)).toBe(keys.indexOf(`${layer}.weight`) + 1);
    expect(file.prefix).toBe('module.');
    expect(numbers(file.tensors, `${layer}.weight`)).toEqual(numbers(state, `${layer}.weight`));
    expect(new Set(numbers(file.tensors, `${layer}.convmap.weight`))).toEqual(new Set([8]));

    const files = [{ path: 'unmerged.safetensors', blob: new Blob([bytes]) }];
    const merged = await mergeFile(files);
    expect(merged).toMatchObject({ maps: 1, format: 'safetensors' });
    expect(merged.error).toBeLessThan(2 ** -23);
    expect([...merged.bytes]).toEqual([...result.merged]);

    const again = await run(
      job(
        { method: 'refocus', path: 'dense', unmerged: true, epochs: 1 },
        { model: { kind: 'file', files } },
      ),
    );
    const notes = again.events.flatMap((e) => (e.type === 'note' ? [e.message] : []));
    expect(notes).toContainEqual(expect.stringMatching(/has 1 refocusing map: training goes on from it/));
    const next = await read(again.result.files.find(({ name }) => name === 'unmerged.safetensors')!.bytes);
    expect(numbers(next.tensors, `${layer}.weight`)).toEqual(numbers(state, `${layer}.weight`));
    expect(new Set(numbers(next.tensors, `${layer}.convmap.weight`))).toEqual(new Set([12]));
    // fine-tuning goes on from the merged kernels
    const tuned = await run(job({ epochs: 1 }, { model: { kind: 'file', files } }));
    expectClose(
      numbers((await read(tuned.result.merged)).tensors, `${layer}.weight`),
      numbers((await read(result.merged)).tensors, `${layer}.weight`).map((w) => w + 4),
    );
    const other = job({ ...refocus, mapKernel: 1 }, { model: { kind: 'file', files } });
    await expect(run(other)).rejects.toThrow(/have a kernel of 3, the run's 1: choose map kernel 3/);
  });

  test('are told in the report by their sums, beside what the run was', async () => {
    const { file } = weightsFile();
    const { result } = await run(job({ seed: 9 }, { model: { kind: 'file', network: ARCH, files: [file] } }));
    const sum = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
    const { report } = result;
    expect(report.sha256.in).toEqual({
      'net.safetensors': sum(new Uint8Array(await file.blob.arrayBuffer())),
    });
    expect(report.sha256.out).toEqual({
      'merged.safetensors': sum(result.merged),
      'best.safetensors': sum(result.best),
      ...Object.fromEntries(result.files.map(({ name, bytes }) => [name, sum(bytes)])),
    });
    expect(report).toMatchObject({
      version,
      seed: 9,
      settings: { seed: 9, batch: 9, mean: [0.485, 0.456, 0.406] },
      classes: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
      network: {
        source: 'net.safetensors',
        architecture: 'mobilenet_v2',
        publisher: 'torchvision',
        newHead: false,
      },
    });
    expect(report.network.args).toMatchObject({ width_mult: 0.25 });
    expect(report.sources.train).toHaveLength(4);
    expect(Math.abs(Date.parse(report.date) - Date.now())).toBeLessThan(600_000);
  });

  test('of a retraining have nothing of the input’s numbers', async () => {
    const { result } = await run(job({ method: 'retrain', epochs: 1, seed: 6 }));
    const { tensors } = await read(result.merged);
    const fresh = initialState(MODEL, 6);
    expectClose(
      numbers(tensors, 'classifier.1.weight'),
      numbers(fresh, 'classifier.1.weight').map((w) => w + 4),
    );
  });
});

describe('the test images, one by one', () => {
  test('are in predictions.csv, and class by class in the report', async () => {
    let evaluations = 0;
    const { result } = await run(job(), {
      metrics: ({ program, rows }) => [rows, program === 'train' ? 0 : evaluations++],
      // the network tells every image but one to be of its class
      logits: (image) => Array.from({ length: 10 }, (_, c) => Number(c === (image === 2 ? 7 : image))),
    });
    const { last, best } = result.report.evaluation;
    expect(best, 'the last is the best').toBeUndefined();
    const csv = new TextDecoder().decode(result.files.find(({ name }) => name === 'predictions.csv')!.bytes);
    const [header, ...rows] = csv.trimEnd().split('\r\n');
    expect(header).toBe('image,label,predicted,probability,correct');
    expect(rows).toHaveLength(4);
    const wrong = rows.filter((row) => row.endsWith(',false'));
    expect(last!.wrong).toHaveLength(wrong.length);
    const of = ({ image, label, predicted }: (typeof last & object)['wrong'][number]) =>
      `${image},${label},${predicted},`;
    for (const one of last!.wrong) expect(wrong.some((row) => row.startsWith(of(one)))).toBe(true);
    expect(last!.confusion.flat().reduce((a, b) => a + b)).toBe(4);
    expect(last!.classes.map((c) => c.class)).toEqual([...'0123456789']);
    expect(result.report.sha256.out).toHaveProperty(['predictions.csv']);
  });

  test('are told of the network as it was loaded too, with what the flips between both are worth', async () => {
    let evaluations = 0;
    // the network as it was loaded tells images 0 and 1 wrong, the merged one image 2
    const { result } = await run(job(), {
      metrics: ({ program, rows }) => [rows, program === 'train' ? 0 : evaluations++],
      logits: (image) => {
        const wrong = evaluations <= 1 ? image < 2 : image === 2;
        return Array.from({ length: 10 }, (_, c) => Number(c === (wrong ? 7 : image)));
      },
    });
    const { uncertainty, evaluation } = result.report;
    const right = (predictions?: { label: string; predicted: string }[]) =>
      predictions?.map(({ label, predicted }) => label === predicted);
    const [base, last] = [right(result.predictions.base), right(result.predictions.last)];
    expect(base).toHaveLength(4);
    expect(result.predictions.best).toBeUndefined();
    const gained = last!.filter((isRight, i) => isRight && !base![i]).length;
    const lost = base!.filter((wasRight, i) => wasRight && !last![i]).length;
    expect(gained + lost).toBeGreaterThan(0);
    expect(uncertainty.flips?.last).toEqual({ gained, lost, p: 1 });
    expect(uncertainty.flips?.best).toEqual(uncertainty.flips?.last);
    expect(uncertainty.images).toBe(4);
    // scipy.stats.binomtest(0, 4).proportion_ci(method='wilson')
    expect(uncertainty.intervals.base).toEqual([0, expect.closeTo(0.48989, 5)]);
    expect(evaluation.last!.wrong).toHaveLength(last!.filter((isRight) => !isRight).length);
  });

  test('of another best network are in a file of their own', async () => {
    let evaluations = 0;
    const { result } = await run(job(), {
      metrics: ({ program, rows }) => [rows, program === 'train' ? 0 : [0, 3, 1][evaluations++]],
    });
    expect(result.report.evaluation.best).toBeDefined();
    expect(result.files.map(({ name }) => name)).toContain('best-predictions.csv');
  });
});

describe('the proof', () => {
  /** From the proof on, evaluations number `from` and later see another network. */
  const otherFrom = (from: number): [Behaviour, (e: TrainEvent) => void] => {
    let evaluations = Number.NEGATIVE_INFINITY;
    const other: Behaviour = {
      metrics: ({ program, rows }) => {
        if (program === 'evaluate') evaluations++;
        return [rows, 0];
      },
      logits: (image, batch) => logits!(image, batch).map((v) => (evaluations >= from ? v * 1.001 : v)),
    };
    return [
      other,
      (event) => {
        if (event.type === 'phase' && event.phase === 'prove') evaluations = 0;
      },
    ];
  };

  test('fails where the merged network says something else than the trained one', async () => {
    const [behaviour, onEvent] = otherFrom(2);
    const { result } = await run(job(), behaviour, onEvent);
    expect(result.report.proof).toMatchObject({ ok: false, images: 4, top1Agreement: 1 });
    expect(result.report.proof.maxRelLogitDiff).toBeCloseTo(0.001, 4);
  });

  test('is that of the worse of the two files', async () => {
    let evaluations = 0;
    const [behaviour, onEvent] = otherFrom(4);
    const metrics: Behaviour['metrics'] = (batch) => {
      const [loss] = behaviour.metrics!(batch);
      // the first of two epochs is the better one, so two files are proven
      return [loss, batch.program === 'train' ? 0 : [0, 3, 1][evaluations++]];
    };
    const { result } = await run(job(), { ...behaviour, metrics }, onEvent);
    expect(result.report.proof.ok).toBe(false);
  });
});

describe('a device that is lost', () => {
  test('after each first epoch: a new one proves what was learned', async () => {
    const { result, events, gpus } = await run(job(), {}, (event, gpu) => {
      if (event.type === 'eval' && event.which === 'epoch') gpu.lose();
    });
    expect(warnings(events)).toEqual([
      'The GPU was lost at step 4 of 8: training goes on from the start, on a new device.',
      'The GPU was lost. The weights of step 4 are kept.',
    ]);
    expect(gpus).toHaveLength(3);
    expect(result.report).toMatchObject({ steps: 4, proof: { ok: true, images: 4 } });
    expect(gpus[2].leaks()).toEqual([]);
  });

  test('while proving: a new one proves', async () => {
    const { result, events, gpus } = await run(job(), {}, (event, gpu) => {
      if (event.type === 'phase' && event.phase === 'prove') gpu.lose();
    });
    expect(warnings(events)).toEqual([]);
    expect(gpus).toHaveLength(2);
    expect(result.report.proof.ok).toBe(true);
  });

  test('and another in the proof: nothing is proven, and the files are there', async () => {
    const { result, events } = await run(job(), {}, (event, gpu, context) => {
      if (event.type !== 'phase' || event.phase !== 'prove') return;
      gpu.lose();
      context.gpu = async () => Promise.reject(new UserError('There is no GPU any more.'));
    });
    // the run took the way to a device from the context when it began to prove
    expect(warnings(events)).toEqual(['The merge could not be proven: There is no GPU any more.']);
    expect(result.report.proof).toMatchObject({ ok: false, images: 0 });
    expect((await read(result.best)).tensors.size).toBeGreaterThan(10);
  });
});

describe('what cannot run is refused before a device is asked for', () => {
  test.each<[string, TrainJob, RegExp]>([
    [
      'a classifier to keep where there is none',
      job({ head: 'keep' }, { model: { kind: 'random', network: ARCH, seed: 1 } }),
      /mobilenet_v2 has no classifier, the images have 10 classes \(0, 1, 2, 3, 4, \.\.\.\)/,
    ],
    ['maps without a start', job({ method: 'refocus', identity: false }), /start the maps from Kaiming/],
  ])('%s', async (_, bad, message) => {
    const asked = run(bad);
    await expect(asked).rejects.toThrow(UserError);
    await expect(asked).rejects.toThrow(message);
  });
});

describe('autotune', () => {
  test('times the step, tells the fastest and takes it', async () => {
    const { result, events } = await run(job({ autotune: true, epochs: 1 }));
    const tuned = events.filter((e) => e.type === 'tuned');
    expect(tuned).toHaveLength(1);
    expect(tuned[0].key).toMatch(/^a fake GPU, \d+ dispatches, \d+ flops, f32$/);
    expect(result.report.tuning).toEqual(tuned[0].timed[0].tuning);
    expect(phases(events).filter((p) => p === 'tune').length).toBeGreaterThan(7);
  });

  test('takes what it remembers, without timing', async () => {
    const first = await run(job({ autotune: true, epochs: 1 }));
    const { key, timed } = first.events.find((e) => e.type === 'tuned')!;
    const tuning = timed.at(-1)!.tuning;
    const again = await run(job({ autotune: true, epochs: 1 }, { tunings: { [key]: tuning } }));
    expect(again.result.report.tuning).toEqual(tuning);
    expect(phases(again.events)).not.toContain('tune');
    // a device without subgroups does not take a tuning with them
    const cannot = { [key]: { ...tuning, subgroups: true } };
    const other = await run(job({ autotune: true, epochs: 1 }, { tunings: cannot }));
    expect(phases(other.events)).toContain('tune');
  });
});

describe('a warm-up', () => {
  const builtin: TrainJob = {
    model: { kind: 'builtin' },
    train: { kind: 'builtin', split: 'train' },
    test: { kind: 'builtin', split: 'test' },
    settings: { ...defaultSettings(), method: 'finetune', epochs: 1, batch: 16, repeats: 1, limit: 32 },
  };

  test.each([
    ['a warm-up', (context: RunContext) => warmUp(builtin, { ...context, goOn() {} })],
    ['a run', (context: RunContext) => runTraining(builtin, context)],
  ])('%s compiles the step, once, before the network is measured', async (_, begin) => {
    const gpu = fakeGpu(fakeNetwork({ stride: 12, logits, metrics: ({ rows }) => [rows, 8] }).compute);
    const device = gpu.device as unknown as FakeDevice;
    const asked: string[] = [];
    const compile = device.createComputePipelineAsync.bind(device);
    device.createComputePipelineAsync = (pipeline) => {
      asked.push(pipeline.label);
      return compile(pipeline);
    };
    await begin({ gpu: async () => gpu, memo: new Memo(), control: { cancelled: false }, emit() {} });
    // which an evaluation takes, and no step
    expect(asked.indexOf('norm/batch_running')).toBeGreaterThan(asked.indexOf('optim/sgd'));
    expect(asked.filter((label) => label === 'optim/sgd')).toHaveLength(1);
  });

  test('draws nothing once a run has begun, and leaves it what is compiled', async () => {
    const { compute, batches } = fakeNetwork({ stride: 12, logits });
    const gpu = fakeGpu(compute);
    const context = { gpu: async () => gpu, memo: new Memo() };
    let looks = 0;
    const goOn = () => {
      // the images are there, and the step compiled
      if (pipelinesOf(gpu).size > 0 && pipelinesOf(gpu).waiting === 0) throw new Stopped();
      looks++;
    };
    await expect(warmUp(builtin, { ...context, goOn })).rejects.toThrow(Stopped);
    expect(looks).toBeGreaterThan(0);
    expect(batches).toEqual([]);
    expect(gpu.leaks()).toEqual([]);
    expect(pipelinesOf(gpu).size).toBeGreaterThan(10);
  });

  test('measures the built-in network ahead, and the run does not measure it again', async () => {
    const ahead = [
      ['train', 16],
      ['train', 16],
      ['evaluate', 32],
    ];
    const { compute, batches } = fakeNetwork({
      stride: 12,
      logits,
      // what comes after the base is better
      metrics: ({ rows }) => [rows, batches.length > ahead.length ? 9 : 8],
    });
    const gpu = fakeGpu(compute);
    const context: RunContext = {
      gpu: async () => gpu,
      memo: new Memo(),
      control: { cancelled: false },
      emit() {},
    };
    const measured = await warmUp(builtin, { ...context, goOn() {} });
    expect(measured).toEqual({
      step: { flops: expect.any(Number), ms: expect.any(Number) },
      base: { accuracy: 0.25, images: expect.any(Number) },
    });
    expect(batches.map(({ program, rows }) => [program, rows])).toEqual(ahead);
    expect(gpu.leaks()).toEqual([]);
    const told: string[] = [];
    const emit: RunContext['emit'] = (event) => {
      if (event.type === 'note') told.push(event.message);
      if (event.type === 'eval') told.push(event.which);
    };
    const { report } = await runTraining(builtin, { ...context, emit });
    expect(report.accuracy.base).toBe(0.25);
    expect(told[0]).toContain('Built-in images: its own images.');
    // what it will take, before anything is measured or compiled
    expect(told.slice(0, told.indexOf('base')).at(-1)).toMatch(
      /^The run needs about [\d.]+ MB of GPU memory:/,
    );
    // of the run: two steps, an evaluation, the two of the proof and that of the check
    expect(batches.slice(ahead.length).map(({ program }) => program)).toEqual([
      'train',
      'train',
      'evaluate',
      'evaluate',
      'evaluate',
      'evaluate',
    ]);
    // other numbers to normalise with ask for another measurement
    const before = batches.length;
    await warmUp(
      { ...builtin, settings: { ...builtin.settings, mean: [0, 0, 0] } },
      { ...context, goOn() {} },
    );
    expect(batches).toHaveLength(before + ahead.length);
  });
});

test('what a run came to is the network that another begins with, its classes known', async () => {
  const builtin: TrainJob = {
    model: { kind: 'builtin' },
    train: { kind: 'builtin', split: 'train', set: 'builtin-camera' },
    test: { kind: 'builtin', split: 'test', set: 'builtin-camera' },
    settings: { ...defaultSettings(), epochs: 1, batch: 16, repeats: 1, limit: 32 },
  };
  const { result: first } = await run(builtin);
  const files = [{ path: 'merged.safetensors', blob: new Blob([first.merged]) }];
  const { result } = await run({ ...builtin, model: { kind: 'file', files } });
  expect(result.report.network).toMatchObject({
    source: 'merged.safetensors',
    architecture: first.report.network.architecture,
    newHead: false,
  });
  expect(result.report.classes).toEqual(first.report.classes);
  expect(result.report.accuracy.base).toBeDefined();
  expect(result.report.sha256.in['merged.safetensors']).toBe(first.report.sha256.out['merged.safetensors']);
});
