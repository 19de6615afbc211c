import { expect, test } from 'vitest';
import { evaluationRows, heldImages, heldSentence, mostHeld } from '../../../src/train/held';
import { Trainer } from '../../../src/train/trainer';
import { fakeGpu } from '../fake-gpu';
import { fakeNetwork, tinyTraining } from '../fake-network';

const silent = { steps() {}, evaluated() {}, warning() {} };

test('a GPU holds a set that fits a binding and half a gigabyte, else two batches of it', () => {
  const gpu = fakeGpu();
  expect(mostHeld(gpu)).toBe(2 ** 29);
  Object.assign(gpu.device.limits, { maxStorageBufferBindingSize: 2 ** 27 });
  expect(mostHeld(gpu)).toBe(2 ** 27);
  const set = { count: 1000, height: 8, width: 8 };
  expect(heldImages(set, 32, 192_000)).toBe(1000);
  expect(heldImages(set, 32, 191_999)).toBe(64);
  expect(heldImages(set, 600, 191_999)).toBe(1000);
  expect(heldImages(set, 32)).toBe(1000);
});

test('a run that is streamed takes the same images, and says how many are held', async () => {
  const batchesOf = async (heldBytes?: number) => {
    const { compute, batches } = fakeNetwork();
    const trainer = await Trainer.create(fakeGpu(compute), { ...tinyTraining(), heldBytes }, silent);
    await trainer.run({ cancelled: false });
    return { batches, held: trainer.held };
  };
  const [whole, streamed] = [await batchesOf(), await batchesOf(400)];
  expect(streamed.batches).toEqual(whole.batches);
  expect(whole.held).toEqual({ train: { images: 22, held: 22 }, test: { images: 7, held: 7 } });
  expect(heldSentence(whole.held)).toBeUndefined();
  expect(streamed.held).toEqual({ train: { images: 22, held: 8 }, test: { images: 7, held: 7 } });
  expect(heldSentence(streamed.held)).toBe(
    'Streamed to the GPU ahead of each step: training images, 8 of 22 at a time.',
  );
});

test('an evaluation takes fewer of larger images at a time', () => {
  const rows = (count: number, height: number, width = height) => evaluationRows({ count, height, width });
  expect([rows(1000, 32), rows(1000, 64), rows(100, 64)]).toEqual([128, 128, 100]);
  expect([rows(1000, 96), rows(1000, 64, 128), rows(1000, 224), rows(9, 224)]).toEqual([56, 64, 16, 9]);
});
