import { expect, test } from 'vitest';
import { Graph } from '../../../src/graph/graph';
import { createModel } from '../../../src/model/zoo';
import { METRICS_RING } from '../../../src/ops/loss/metrics';
import { loadTask, taskOf } from '../../../src/train/task';

const task = taskOf(createModel('resnet20_cifar'));

test('classification: rows of batches add up to the figures of all their images', () => {
  const rows = [
    [6, 3, 4, 0],
    [1, 2, 2, 0],
  ];
  expect(rows.map(task.figures)).toEqual([
    { loss: 1.5, accuracy: 0.75 },
    { loss: 0.5, accuracy: 1 },
  ]);
  const sum = rows[0].map((v, i) => v + rows[1][i]);
  expect(task.figures(sum)).toEqual({ loss: 7 / 6, accuracy: 5 / 6 });
});

test('classification: the better network is that of the higher accuracy, whatever its loss', () => {
  expect(task.score({ loss: 9, accuracy: 0.8 })).toBeGreaterThan(task.score({ loss: 1, accuracy: 0.7 }));
});

test('classification: the loss writes the ring that the figures are read from', () => {
  const graph = new Graph();
  const logits = graph.tensor('logits', [8, 1, 1, 10]);
  const target = graph.tensor('target', [8], { role: 'input', dtype: 'u32', padded: [8] });
  const dlogits = task.loss(graph, logits, target, { labelSmoothing: 0.1 });
  expect(dlogits.shape).toEqual(logits.shape);
  expect(graph.find('output', 'metrics')!.shape).toEqual([METRICS_RING, task.sums]);
  expect(graph.nodes).toMatchObject([{ op: { name: 'cross_entropy' }, attrs: { labelSmoothing: 0.1 } }]);
});

test('a task other than classification is to be loaded first', () => {
  expect(() => taskOf(createModel('dw_unet'))).toThrow('segmentation is not loaded');
});

const dense = async (name: string) => {
  const model = createModel(name, { classes: 2 });
  await loadTask(model);
  return taskOf(model);
};

test('segmentation: a row has a loss and counts of each class, that of no class among them; the figure is mIoU', async () => {
  const { figures, sums, targets } = await dense('dw_unet');
  expect(sums).toBe(4 * (1 + 3));
  expect(targets!.size({ height: 8, width: 16 })).toBe(128);
  // 6 of 8 pixels right; a class that is nowhere does not count
  const row = [3, 6, 2, 0, 4, 5, 5, 0, 2, 3, 3, 0, 0, 0, 0, 0];
  expect(figures(row)).toEqual({ loss: 1.5, accuracy: (4 / 6 + 2 / 4) / 2 });
});

test('detection: of a batch the share of cells told rightly, of a set average precision, images in their order', async () => {
  const { figures, measure, targets } = await dense('dw_detector');
  expect(figures([3, 3, 2, 4])).toEqual({ loss: 1.5, accuracy: 0.75 });
  expect(figures([3, 0, 2, 0])).toEqual({ loss: 1.5, accuracy: 0 });
  const side = 8;
  const box = { top: 0, bottom: 8 };
  const objects = [[{ label: 0, left: 0, right: 4, ...box }], [{ label: 1, left: 4, right: 8, ...box }]];
  const images = {
    ...{ count: 2, height: side, width: side, classes: ['a', 'b'], labels: Uint16Array.of(0, 1) },
    ...{
      pixels: new Uint8Array(2 * side * side * 3),
      truth: { masks: new Uint8Array(2 * side * side), objects },
    },
  };
  const wanted = targets!.of(images);
  expect(wanted).toHaveLength(2 * targets!.size(images));
  // a detector that tells what it is to tell, six logits a cell in the place of eight
  const cells = wanted.length / 8;
  const logits = new Float32Array(cells * 8);
  for (let cell = 0; cell < cells; cell++) {
    const label = wanted[8 * cell];
    logits.set(
      [label === 1 ? 4 : -4, label === 2 ? 4 : -4, ...wanted.subarray(8 * cell + 4, 8 * cell + 8)],
      8 * cell,
    );
  }
  expect(measure!(logits, [0, 1], images)).toBe(1);
  expect(measure!(logits, [1, 0], images)).toBe(0);
});
