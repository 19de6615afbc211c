import { expect, test } from 'vitest';
import { Graph } from '../../../src/graph/graph';
import { createModel } from '../../../src/model/zoo';
import { METRICS_RING } from '../../../src/ops/loss/cross-entropy';
import { taskOf } from '../../../src/train/task';

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
