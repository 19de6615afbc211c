import { beforeAll, describe, expect, test } from 'vitest';
import type { UserFile } from '../../src/data/types';
import { UserError } from '../../src/errors';
import { type Gpu, requestGpu } from '../../src/gpu/device';
import { readSafetensors, writeSafetensors } from '../../src/io/safetensors';
import { initialState } from '../../src/model/init';
import { createModel } from '../../src/model/zoo';
import type { TrainEvent, TrainJob } from '../../src/run/job';
import { Memo } from '../../src/run/memo';
import { runTraining } from '../../src/run/run';
import { defaultSettings, type TrainSettings } from '../../src/train/settings';

const SIDE = 8;

/** A pair of IDX files: gray squares of noise, ten classes in turn. */
function idx(count: number): UserFile[] {
  const file = (path: string, header: number[], content: Uint8Array<ArrayBuffer>) => ({
    path,
    blob: new Blob([new Uint8Array(new Uint32Array(header).buffer).reverse(), content]),
  });
  const pixels = Uint8Array.from({ length: count * SIDE * SIDE }, (_, i) => (i * 7919 + (i >> 5)) % 251);
  // reversed bytes are big-endian numbers in reversed order
  return [
    file('train-images-idx3-ubyte', [SIDE, SIDE, count, 0x803], pixels),
    file(
      'train-labels-idx1-ubyte',
      [count, 0x801],
      Uint8Array.from({ length: count }, (_, i) => i % 10),
    ),
  ];
}

const network = {
  arch: 'mobilenet_v2',
  width: 0.25,
  classes: 10,
  kwargs: { inverted_residual_setting: [[1, 8, 1, 1]] },
};
const { arch, ...options } = network;
const weights = writeSafetensors(initialState(createModel(arch, options), 1));

const job: TrainJob = {
  model: { kind: 'file', network, files: [{ path: 'net.safetensors', blob: new Blob([weights]) }] },
  train: { kind: 'files', files: idx(40) },
  settings: { ...defaultSettings(), method: 'refocus', epochs: 2, batch: 9, repeats: 1 },
};

/** A device whose `destroy` looks from outside like a driver's crash: only the reason tells them apart. */
async function mortalGpu(): Promise<Gpu> {
  return requestGpu(async () => {
    const adapter = await navigator.gpu.requestAdapter();
    if (!adapter) return null;
    const { limits, info, features } = adapter;
    const requestDevice = async (descriptor?: GPUDeviceDescriptor) => {
      const device = await adapter.requestDevice(descriptor);
      const lost = device.lost.then(() => ({ reason: 'unknown', message: 'the driver crashed' }));
      return Object.defineProperty(device, 'lost', { value: lost });
    };
    return { limits, info, features, requestDevice } as unknown as GPUAdapter;
  });
}

interface Loss {
  /** whether the device is lost right after this event */
  at: (event: TrainEvent) => boolean;
  /** a second device can be had */
  recovers?: boolean;
}

/** A run that loses its device once. */
async function lose({ at, recovers = true }: Loss, of: TrainJob = job) {
  const devices: Gpu[] = [];
  const events: TrainEvent[] = [];
  const gpu = async () => {
    const last = devices.at(-1);
    if (last && !last.failure.error) return last;
    if (last && !recovers) throw new UserError('There is no GPU any more.');
    devices.push(await mortalGpu());
    return devices.at(-1)!;
  };
  const result = await runTraining(of, {
    gpu,
    memo: new Memo(),
    control: { cancelled: false },
    emit(event) {
      events.push(event);
      if (devices.length === 1 && at(event)) devices[0].device.destroy();
    },
  });
  const warnings = events.flatMap((e) => (e.type === 'warning' ? [e.message] : []));
  const checkpoints = events.flatMap((e) => (e.type === 'checkpoint' ? [e] : []));
  return { result, warnings, checkpoints, devices: devices.length };
}

const LOST = /^The GPU was lost \(the driver crashed\)/;
const phase = (name: string) => (e: TrainEvent) => e.type === 'phase' && e.phase === name;
const evaluated = (which: string) => (e: TrainEvent) => e.type === 'eval' && e.which === which;

describe('before there is anything to save, the run ends with one sentence', () => {
  test('while compiling', async () => {
    const error = await lose({ at: phase('compile') }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).toMatch(LOST);
  });
});

describe('afterwards the work is kept', () => {
  let whole: Awaited<ReturnType<typeof lose>>;
  beforeAll(async () => {
    whole = await lose({ at: () => false });
  });

  test.each<[string, Loss]>([
    ['in the first epoch: it begins again', { at: phase('train') }],
    ['while the network is measured that it began with: it begins again', { at: phase('baseline') }],
    ['in the second epoch: it goes on', { at: evaluated('epoch') }],
    ['while proving', { at: phase('prove') }],
  ])('%s on a new device, to the same bits', async (_, loss) => {
    const { result, devices } = await lose(loss);
    expect(devices).toBe(2);
    expect(result.evals.at(-1)!.step).toBe(8);
    expect(result.report.steps).toBe(8);
    expect(result.report.proof).toMatchObject({ ok: true, images: 10, top1Agreement: 1 });
    expect(result.merged).toEqual(whole.result.merged);
  });

  test('and where no new device can be had it is merged all the same, but not proven', async () => {
    const { result, warnings } = await lose({ at: evaluated('epoch'), recovers: false });
    expect(warnings.at(-1)).toBe('The merge could not be proven: There is no GPU any more.');
    expect(result.report.proof).toMatchObject({ ok: false, images: 0 });
    const { tensors } = readSafetensors(result.merged, 'merged');
    expect(tensors.get('features.1.conv.0.0.weight')!.shape).toEqual([8, 1, 3, 3]);
    expect(readSafetensors(result.best, 'best').tensors.size).toBe(tensors.size);
  });
});

describe('from a checkpoint', () => {
  const never: Loss = { at: () => false };
  // all that an optimiser and averages remember, and what is random in a step
  const settings: TrainSettings = {
    ...job.settings,
    method: 'joint',
    optimizer: 'adamw',
    ema: 0.9,
  };
  const more: TrainJob = { ...job, settings: { ...settings, checkpointMinutes: 1e-5 } };

  test('a run comes to the bits of the whole one', async () => {
    const whole = await lose(never, more);
    const within = whole.checkpoints.filter(({ step }) => step % 4 > 0);
    expect(within.length).toBeGreaterThan(0);
    const checkpoints = [{ path: within[0].file, blob: new Blob([within[0].bytes]) }];
    const { result } = await lose(never, { ...more, resume: { checkpoints } });
    expect(result.merged).toEqual(whole.result.merged);
    expect(result.best).toEqual(whole.result.best);
    expect(result.metrics).toEqual(whole.result.metrics);
    const lost = await lose({ at: (e) => e.type === 'checkpoint' }, more);
    expect(lost.devices).toBe(2);
    expect(lost.warnings).toContainEqual(
      expect.stringMatching(/^The GPU was lost at step \d of 8: training goes on from /),
    );
    expect(lost.result.report.ended).toBe('finished');
    expect(lost.result.merged).toEqual(whole.result.merged);
  });
});

test('weights that overflow end a run with one sentence, and what was learned before is kept', async () => {
  const device = await requestGpu();
  const warnings: string[] = [];
  const hot: Partial<TrainSettings> = {
    method: 'finetune',
    schedule: 'constant',
    lr: 100,
    weightDecay: 1,
    epochs: 9,
  };
  const { report, merged } = await runTraining(
    { ...job, settings: { ...job.settings, ...hot } },
    {
      gpu: async () => device,
      memo: new Memo(),
      control: { cancelled: false },
      emit: (event) => event.type === 'warning' && warnings.push(event.message),
    },
  );
  expect(warnings).toEqual([
    expect.stringMatching(
      / at step \d+.*: choose a lower learning rate, such as 10, or clip the gradient\. The weights of/,
    ),
  ]);
  expect(report.proof.ok).toBe(true);
  expect(readSafetensors(merged, 'merged').tensors.size).toBeGreaterThan(10);
});
