import { beforeEach, expect, test, vi } from 'vitest';
import type { ScratchFile } from '../../../src/data/store/scratch';
import { writeSafetensors } from '../../../src/io/safetensors';
import { initialState } from '../../../src/model/init';
import { createModel } from '../../../src/model/zoo';
import { evaluateSource } from '../../../src/run/evaluate';
import type { TrainEvent, TrainJob } from '../../../src/run/job';
import { KeptImages } from '../../../src/run/kept-images';
import { Memo } from '../../../src/run/memo';
import { runTraining } from '../../../src/run/run';
import { defaultSettings, type TrainSettings } from '../../../src/train/settings';
import { pictures, userFiles } from '../data/helpers';
import { fakeGpu } from '../fake-gpu';
import { type Behaviour, fakeNetwork } from '../fake-network';

const files = vi.hoisted(() => ({ opened: 0, open: 0 }));
beforeEach(() => void Object.assign(files, { opened: 0, open: 0 }));

// all sets are too large for memory, and files are arrays
vi.mock('../../../src/data/store/sink', async (actual) => ({
  ...(await actual<typeof import('../../../src/data/store/sink')>()),
  MEMORY_BYTES: 0,
}));
vi.mock('../../../src/data/store/open', () => ({
  async openScratch(bytes: number): Promise<ScratchFile> {
    const contents = new Uint8Array(bytes);
    let isOpen = true;
    files.opened++;
    files.open++;
    return {
      place: 'an array',
      write: async (data, at) => contents.set(data, at),
      async read(into, at) {
        if (!isOpen) throw new Error('the file is closed');
        into.set(contents.subarray(at, at + into.length));
      },
      async close() {
        if (isOpen) files.open--;
        isOpen = false;
      },
    };
  },
}));

const NETWORK = { arch: 'mobilenet_v2', width: 0.25, kwargs: { inverted_residual_setting: [[1, 8, 1, 1]] } };

const job = (settings: Partial<TrainSettings> = {}, more: Partial<TrainJob> = {}): TrainJob => ({
  model: { kind: 'random', network: { ...NETWORK, classes: 2 }, seed: 1 },
  train: { kind: 'files', files: userFiles(pictures('set/cat*9', 'set/dog*9')) },
  settings: { ...defaultSettings(), method: 'retrain', epochs: 1, batch: 4, ...settings },
  ...more,
});

/** Logits of two classes, up to a multiple of four. */
const LOGITS: Behaviour = { logits: (image) => [image, 1, 0, 0] };

async function run(trainJob: TrainJob, onEvent: (event: TrainEvent) => void = () => {}, kept?: KeptImages) {
  const gpu = fakeGpu(fakeNetwork(LOGITS).compute);
  const control = { cancelled: false };
  const emit = onEvent;
  return runTraining(trainJob, { gpu: async () => gpu, memo: new Memo(), kept, control, emit });
}

test('a run keeps its images in a file until it has ended', async () => {
  const opened: number[] = [];
  const { report } = await run(job(), ({ type }) => {
    if (type === 'plan') opened.push(files.open);
  });
  expect(report.data?.[0].kept).toEqual({ bytes: 18 * 48, place: 'an array' });
  expect(report.held).toEqual({ train: { images: 14, held: 14 }, test: { images: 4, held: 4 } });
  expect(opened).toEqual([1]);
  expect(files).toEqual({ opened: 1, open: 0 });
});

test('and no longer where it fails, in the loading, before the first step or at it', async () => {
  const other = { kind: 'files' as const, files: userFiles(pictures('other/bird*3', 'other/fish*3')) };
  await expect(run(job({}, { test: other }))).rejects.toThrow('none of the training images');
  expect(files).toEqual({ opened: 1, open: 0 });
  const seven = { kind: 'random' as const, network: { ...NETWORK, classes: 7 }, seed: 1 };
  await expect(run(job({ head: 'keep' }, { model: seven }))).rejects.toThrow('classes');
  expect(files).toEqual({ opened: 2, open: 0 });
  const failing = run(job(), ({ type }) => {
    if (type === 'plan') throw new Error('the page has gone');
  });
  await expect(failing).rejects.toThrow('the page has gone');
  expect(files).toEqual({ opened: 3, open: 0 });
});

test('an evaluation too', async () => {
  const gpu = fakeGpu(fakeNetwork(LOGITS).compute);
  const { arch, width, kwargs } = NETWORK;
  const state = initialState(createModel(arch, { width, kwargs, classes: 2 }), 1);
  const weights = { path: 'net.safetensors', blob: new Blob([writeSafetensors(state)]) };
  const network = { ...NETWORK, classes: 2 };
  const model = { kind: 'file' as const, network, files: [weights] };
  const { images, report } = await evaluateSource(async () => gpu, model, job().train);
  expect([images, report?.kept.place]).toEqual([18, 'an array']);
  expect(files).toEqual({ opened: 1, open: 0 });
});

test('jobs of one name share what was read once, and the first of another name frees it', async () => {
  const kept = new KeptImages();
  const shared = job({}, { share: 'arms' });
  const told: string[][] = [];
  const once = async (settings: Partial<TrainSettings>, share = 'arms') => {
    const notes: string[] = [];
    told.push(notes);
    const trainJob = { ...shared, share, settings: { ...shared.settings, ...settings } };
    const { report } = await run(
      trainJob,
      (event) => {
        if (event.type === 'data') notes.push(...event.reports.flatMap((one) => one.notes));
      },
      kept,
    );
    return report.held;
  };
  const first = await once({ imageSeed: 7 });
  expect(files).toEqual({ opened: 1, open: 1 });
  // another seed, rate and method change nothing about what is read; nor does holding out to validate
  expect(await once({ imageSeed: 7, seed: 3, lr: 0.1 })).toEqual(first);
  expect((await once({ imageSeed: 7, validate: true, validationShare: 0.5 })).test.images).toBe(8);
  await once({ imageSeed: 7 });
  expect(files).toEqual({ opened: 1, open: 1 });
  // what one job is told of the images is not told to the next
  expect(told[2]).toHaveLength(told[0].length + 1);
  expect(told[3]).toEqual(told[0]);
  // other images are read
  await once({ imageSeed: 7, limit: 8 });
  expect(files).toEqual({ opened: 2, open: 2 });
  await once({ imageSeed: 7 }, 'others');
  expect(files).toEqual({ opened: 3, open: 1 });
  await run(job(), () => {}, kept);
  expect(files).toEqual({ opened: 4, open: 0 });
});

test('what could not be read for one of them is read again for the next', async () => {
  const kept = new KeptImages();
  const shared = job({}, { share: 'arms' });
  const stopped = run(
    shared,
    ({ type, ...rest }) => {
      if (type === 'phase' && 'message' in rest && rest.message.startsWith('Reading images'))
        throw new Error('stopped');
    },
    kept,
  );
  await expect(stopped).rejects.toThrow('stopped');
  expect(files).toEqual({ opened: 1, open: 0 });
  await run(shared, () => {}, kept);
  expect(files).toEqual({ opened: 2, open: 1 });
});
