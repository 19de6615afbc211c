/**
 * A training step with its images held on the GPU beside one that streams them out of a file: `node test/bench/feed.mjs`.
 * The two take turns, since a machine is not always as fast. Options: images, batch and side, in that order.
 */
import { imageBytes } from '../../src/data/pixels';
import { Random } from '../../src/data/random';
import { openSink } from '../../src/data/store/sink';
import type { LabelledImages } from '../../src/data/types';
import { requestGpu } from '../../src/gpu/device';
import { buildModel } from '../../src/model/builder';
import { initialState } from '../../src/model/init';
import { findGpu } from '../../src/node';
import { decideSettings } from '../../src/train/decide';
import { parseSettings } from '../../src/train/settings';
import { Trainer } from '../../src/train/trainer';

const [count = 256, batch = 32, side = 224] = process.argv.slice(2).map(Number);
const TURNS = 4;

/** A step that is short for its images: a network that people train takes longer, and hides more. */
const model = buildModel({ name: 'short', classes: 10 }, (net, x) => {
  const y = net.batchNorm('bn1', net.conv('conv1', x, 8, 3, { stride: 2 }), 'relu');
  const z = net.batchNorm('bn2', net.conv('conv2', y, 16, 3, { stride: 2 }), 'relu');
  return net.head('fc', net.globalAvgPool(z));
});

async function images(name: string, length: number): Promise<LabelledImages> {
  const size = imageBytes({ height: side, width: side });
  const sink = await openSink({ name, count: length, size, inFile: true });
  const random = new Random(1);
  const image = new Uint8Array(size);
  for (let i = 0; i < length; i++) await sink.push(image.fill(random.index(256)));
  const labels = Uint16Array.from({ length }, (_, i) => i % 10);
  const pixels = await sink.finish();
  return { pixels, labels, count: length, height: side, width: side, classes: [...'0123456789'] };
}

const gpu = await requestGpu(async () => (await findGpu())?.requestAdapter() ?? null);
const train = await images('train', count);
const test = await images('test', batch);
const settings = decideSettings(parseSettings({ method: 'retrain', epochs: 1, batch: String(batch) }), {
  input: model.input,
  images: count,
  newHead: false,
});

/** Median milliseconds of a step. */
async function time(heldBytes?: number): Promise<number> {
  const schedule = { kind: 'constant', lr: 0.01 } as const;
  const start = initialState(model, 1);
  const training = { model, start, train, test, settings, schedule, heldBytes };
  const trainer = await Trainer.create(gpu, training, { steps() {}, evaluated() {}, warning: console.log });
  await trainer.run({ cancelled: false });
  trainer.session.destroy();
  return trainer.outcome().stepMs;
}

const held: number[] = [];
const streamed: number[] = [];
for (let turn = 0; turn < TURNS; turn++) {
  held.push(await time());
  streamed.push(await time(0));
}
const median = (times: number[]) => [...times].sort((a, b) => a - b)[times.length >> 1];
const list = (times: number[]) => times.map((ms) => ms.toFixed(1)).join(', ');
console.log(
  `${gpu.name}: batches of ${batch} images of ${side} x ${side}, ${count} images in ${TURNS} turns`,
);
console.log(`held     ${median(held).toFixed(1)} ms a step (${list(held)})`);
console.log(`streamed ${median(streamed).toFixed(1)} ms a step (${list(streamed)})`);
process.exit();
