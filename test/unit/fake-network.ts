/** Training on a fake device: a test says what each batch comes to, and sees what each run was given. */
import type { ImagesInMemory } from '../../src/data/types';
import type { StateDict } from '../../src/io/tensor';
import { buildModel } from '../../src/model/builder';
import { initialState } from '../../src/model/init';
import { METRICS_RING } from '../../src/ops/loss/metrics';
import type { RunSettings } from '../../src/train/settings';
import { trainedModel } from '../../src/train/trained-model';
import type { Training } from '../../src/train/training-session';
import { runSettings } from '../settings';
import type { Compute, FakeDispatch } from './fake-gpu';

/** A run of a program, as its shaders see it. */
export interface Batch {
  /** `accumulate`: a micro-batch that others of its batch follow */
  program: 'train' | 'accumulate' | 'evaluate';
  step: number;
  seed: number;
  epoch: number;
  batchOffset: number;
  rows: number;
  lr: number;
  correction1: number;
  correction2: number;
  /** what the loss is divided by; 0: the rows */
  batchWeight: number;
  /** indices into the set, `rows` of them */
  images: number[];
  /** the class of each */
  labels: number[];
  /** a number of the parameters; a training step adds 1 to each of them */
  parameter: number;
}

export interface Behaviour {
  /** the sum of the losses of a batch and how many images are right */
  metrics?(batch: Batch): [loss: number, correct: number];
  /** of another task than classification, a row of the ring of metrics */
  row?(batch: Batch): number[];
  /** of an image of an evaluation, a number for each class */
  logits?(image: number, batch: Batch): number[];
  /** numbers in a row of logits: the classes, up to a multiple of four */
  stride?: number;
}

/** Plays a network on a fake device, and writes down what it was given. */
export function fakeNetwork({
  metrics = () => [0, 0],
  row = () => [],
  logits = (i) => [i, 1, -1],
  stride = 4,
}: Behaviour = {}) {
  const batches: Batch[] = [];
  const compute: Compute = (dispatches) => {
    const of = (shader: string) => dispatches.filter((d) => d.shader === shader);
    const updates = dispatches.filter((d) => /^optim\/(sgd|adamw)$/.test(d.shader));
    const sums = of('optim/accumulate').length > 0;
    const batch = batchOf(of('data/gather')[0], updates[0], sums && updates.length === 0);
    batches.push(batch);
    const [classes] = of('loss/cross_entropy');
    const written = classes ? [...metrics(batch), batch.rows, 0] : row(batch);
    const ring = floats(classes ?? of('loss/image_sums')[0], 'metrics');
    ring.set(written, (batch.step % METRICS_RING) * written.length);
    for (const update of updates) {
      const parameters = floats(update, 'parameters');
      parameters.forEach((p, i) => {
        parameters[i] = p + 1;
      });
    }
    const copy = dispatches.find((d) => d.label === 'copy logits');
    if (!copy) return;
    const out = floats(copy, 'out');
    for (const [row, image] of batch.images.entries()) out.set(logits(image, batch), row * stride);
  };
  return { batches, compute };
}

function batchOf(gather: FakeDispatch, update?: FakeDispatch, accumulates = false): Batch {
  const view = new DataView(gather.bytes('step').slice().buffer);
  const [step, seed, epoch, batchOffset, rows] = [0, 4, 8, 12, 16].map((at) => view.getUint32(at, true));
  const [lr, correction1, correction2, batchWeight] = [20, 24, 28, 36].map((at) => view.getFloat32(at, true));
  const images = [...words(gather, 'order').subarray(batchOffset, batchOffset + rows)];
  const labels = images.map((image) => words(gather, 'labels')[image]);
  const program = update ? 'train' : accumulates ? 'accumulate' : 'evaluate';
  const parameter = update ? floats(update, 'parameters')[0] : Number.NaN;
  return {
    program,
    step,
    seed,
    epoch,
    batchOffset,
    rows,
    lr,
    correction1,
    correction2,
    batchWeight,
    images,
    labels,
    parameter,
  };
}

const floats = (d: FakeDispatch, binding: string) => {
  const { buffer, byteOffset, byteLength } = d.bytes(binding);
  return new Float32Array(buffer, byteOffset, byteLength / 4);
};
const words = (d: FakeDispatch, binding: string) => {
  const { buffer, byteOffset, byteLength } = d.bytes(binding);
  return new Uint32Array(buffer, byteOffset, byteLength / 4);
};

/** Images of 4 x 4 pixels of three classes in turn. */
export function labelled(count: number): ImagesInMemory {
  return {
    pixels: Uint8Array.from({ length: count * 48 }, (_, i) => i % 251),
    labels: Uint16Array.from({ length: count }, (_, i) => i % 3),
    count,
    height: 4,
    width: 4,
    classes: ['a', 'b', 'c'],
  };
}

/** A convolution, batch norm and a classifier of three classes. */
export const tinyModel = buildModel({ name: 'tiny', classes: 3 }, (net, x) =>
  net.head('fc', net.globalAvgPool(net.batchNorm('bn', net.conv('conv', x, 4, 3), 'relu'))),
);

export const tinyState = (): StateDict => initialState(tinyModel, 1);

/** A fine-tuning of `tinyModel` on 22 images, tested on 7. */
export function tinyTraining(changes: Partial<RunSettings> = {}): Training {
  const settings: RunSettings = {
    ...{ ...runSettings(), method: 'finetune', batch: 4, epochs: 3, seed: 5 },
    ...changes,
  };
  const model = trainedModel(tinyModel, settings);
  return {
    model,
    start: initialState(model, 1),
    train: labelled(22),
    test: labelled(7),
    settings,
    schedule: { kind: 'constant', lr: 0.5 },
  };
}
