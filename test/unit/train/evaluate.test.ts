import { describe, expect, test } from 'vitest';
import { evaluationOrder } from '../../../src/data/order';
import { evaluateNetwork } from '../../../src/train/evaluate';
import { failureBehind } from '../../../src/train/halving';
import { fakeGpu } from '../fake-gpu';
import { type Behaviour, fakeNetwork, labelled, tinyModel, tinyState } from '../fake-network';

const NORMALISATION = { mean: [0, 0, 0], std: [1, 1, 1] };

/** Evaluates `tinyModel` on so many images. */
async function evaluate(
  count: number,
  options: { batch?: number; limit?: number; keep?: number } = {},
  behaviour: Behaviour = {},
) {
  const { compute, batches } = fakeNetwork(behaviour);
  const gpu = fakeGpu(compute);
  const result = await evaluateNetwork(gpu, tinyModel, tinyState(), labelled(count), {
    ...NORMALISATION,
    ...options,
  });
  return { result, batches, gpu };
}

describe('an evaluation', () => {
  test('takes every image once, the last batch as far as there are any', async () => {
    const { batches, gpu } = await evaluate(300);
    expect(batches.map(({ program, step, batchOffset, rows }) => [program, step, batchOffset, rows])).toEqual(
      [
        ['evaluate', 0, 0, 128],
        ['evaluate', 1, 128, 128],
        ['evaluate', 2, 256, 44],
      ],
    );
    expect(batches.flatMap(({ images }) => images)).toEqual([...evaluationOrder(300)]);
    expect(gpu.leaks()).toEqual([]);
  });

  // the ring of metrics holds 256 batches
  test.each([1, 255, 256, 257, 600])('adds up the metrics of %i batches, each once', async (count) => {
    const metrics: Behaviour['metrics'] = ({ images: [image] }) => [image + 1, image % 2];
    const { result } = await evaluate(count, { batch: 1 }, { metrics });
    expect(result.figures.loss).toBeCloseTo((count + 1) / 2, 9);
    expect(result.figures.accuracy).toBeCloseTo(Math.floor(count / 2) / count, 9);
  });

  test('of a part takes the first images of the order, and means over these', async () => {
    const metrics: Behaviour['metrics'] = ({ rows }) => [2 * rows, rows - 1];
    const { result, batches } = await evaluate(50, { batch: 8, limit: 12 }, { metrics });
    expect(batches.flatMap(({ images }) => images)).toEqual([...evaluationOrder(50).subarray(0, 12)]);
    expect(result.figures).toEqual({ loss: 2, accuracy: 10 / 12 });
  });

  test('keeps the logits asked for', async () => {
    const logits: Behaviour['logits'] = (image) => [image, -image, 7];
    const { result } = await evaluate(20, { batch: 6, keep: 10 }, { logits });
    const rows = [...evaluationOrder(20).subarray(0, 10)];
    const kept = rows.map((_, row) => [...result.logits.subarray(row * 4, row * 4 + 3)]);
    expect(kept).toEqual(rows.map((image) => [image, -image, 7]));
    expect(result.logits.length, 'no row of the second batch that was not asked for').toBe(10 * 4);
    const all = await evaluate(20, { batch: 6, keep: 20 }, { logits });
    expect(all.result.logits.length, 'no row past the last image').toBe(20 * 4);
    expect((await evaluate(20, { batch: 6 }, { logits })).result.logits.length).toBe(0);
  });

  test('tells the size of the network', async () => {
    const { result } = await evaluate(3);
    // 3 x 3 x 3 x 4 weights, four channels of batch norm, 4 x 3 weights and 3 biases
    expect(result.parameters).toBe(108 + 8 + 15);
    expect(result.multiplyAdds).toBe(16 * 108 + 12);
  });
});

describe('a device that fails', () => {
  test('is the reason, not the call that it broke', async () => {
    const gpu = fakeGpu();
    const call = new Error('mapAsync failed');
    expect(await failureBehind(gpu, call)).toBe(call);
    gpu.lose();
    expect((await failureBehind(gpu, call)).message).toBe('The GPU was lost.');
  });

  test('ends an evaluation with that reason, and every buffer is freed', async () => {
    let lose = () => {};
    const { compute } = fakeNetwork({
      metrics: ({ step }) => {
        if (step === 1) lose();
        return [0, 0];
      },
    });
    const gpu = fakeGpu(compute);
    lose = gpu.lose;
    const run = evaluateNetwork(gpu, tinyModel, tinyState(), labelled(9), { ...NORMALISATION, batch: 2 });
    await expect(run).rejects.toThrow('The GPU was lost.');
    expect(gpu.leaks().filter((label) => label !== 'read-back')).toEqual([]);
  });
});
