/** Losses and layers for segmentation and detection beside PyTorch's (make_dense.py). */
import { expect, test } from 'vitest';
import { boxOverlap } from '../../src/analysis/detection';
import { countPixels } from '../../src/analysis/segmentation';
import { Graph } from '../../src/graph/graph';
import { plainLayout, vectorLayout } from '../../src/model/layout';
import { adaptiveAvgPool2d } from '../../src/ops/adaptive-pool';
import { copy } from '../../src/ops/copy';
import { gatherRows } from '../../src/ops/gather-rows';
import { CELL_NUMBERS, detectionLoss } from '../../src/ops/loss/detection';
import { METRICS_RING } from '../../src/ops/loss/metrics';
import { pixelCrossEntropy } from '../../src/ops/loss/pixel-cross-entropy';
import type { Numbers } from '../../src/verify/case';
import fixture from '../fixtures/dense.json';
import { expectClose, runCase, sessionOf } from './harness';

test("nearest upsampling and its gradient are PyTorch's", async () => {
  const { x, y, dy, dx } = fixture.upsampling;
  const got = await runCase({ inputs: { x }, outputs: { y }, douts: { y: dy }, wanted: ['x'] }, (g) =>
    g.output('y', adaptiveAvgPool2d(g.graph, 'up', g.activation('x'), [6, 8])),
  );
  expectClose(got.get('out.y')!, y.data, 1e-6);
  expectClose(got.get('grad.x')!, dx.data, 1e-6);
});

/** Runs a loss with a gradient of 1 given to it; results, and its row of the ring of metrics. */
async function runLoss(
  { logits, target, rows, sums }: { logits: Numbers; target: Numbers; rows: number; sums: number },
  lossOf: typeof detectionLoss,
  batchWeight = 0,
) {
  const step = 300;
  const one = { shape: [1], data: [1] };
  const got = await runCase(
    {
      inputs: { logits, target },
      outputs: {
        loss: one,
        metrics: { shape: [METRICS_RING * sums], data: new Float32Array(METRICS_RING * sums) },
      },
      douts: { loss: one },
      wanted: ['logits'],
      step: { step, rows, batchWeight },
    },
    (g) => {
      const made = lossOf(
        g.graph,
        'loss',
        g.activation('logits'),
        g.input('target', plainLayout(target.shape)),
      );
      g.output('loss', made.loss, vectorLayout([1]));
      g.output('metrics', made.metrics, vectorLayout([METRICS_RING * sums]));
    },
  );
  const at = (step % METRICS_RING) * sums;
  return {
    loss: got.get('out.loss')!,
    gradient: got.get('grad.logits')!,
    metrics: [...got.get('out.metrics')!.subarray(at, at + sums)],
  };
}

test.each(fixture.pixels)("cross-entropy of pixels of $rows images is PyTorch's", async (c) => {
  const { logits, target, rows } = c;
  const [n, classes, h, w] = logits.shape;
  const size = h * w;
  const { loss, gradient, metrics } = await runLoss(
    { logits, target: { shape: [n, size], data: target }, rows, sums: 4 * (1 + classes) },
    pixelCrossEntropy,
  );
  expectClose(loss, [c.loss], 1e-5, 'loss');
  expectClose(gradient, c.gradient.data, 1e-5, 'gradient');
  const told = target.map((_, i) => {
    const image = Math.floor(i / size);
    const scores = Array.from(
      { length: classes },
      (_, k) => logits.data[(image * classes + k) * size + (i % size)],
    );
    return scores.indexOf(Math.max(...scores));
  });
  const counts = [...countPixels(told.slice(0, rows * size), target.slice(0, rows * size), classes)];
  const rightOf = counts.filter((_, i) => i % 3 === 0);
  const expected = [
    ...[c.loss * rows, rightOf.reduce((a, b) => a + b, 0), rows, 0],
    ...rightOf.flatMap((_, k) => [...counts.slice(3 * k, 3 * k + 3), 0]),
  ];
  expectClose([metrics[0]], [expected[0]], 1e-5, 'sum of losses');
  expect(metrics.slice(1)).toEqual(expected.slice(1));
});

test.each(fixture.cells)("the detector's loss of $rows images is RetinaNet's with smooth L1", async (c) => {
  const { logits, label, boxes, rows } = c;
  const [n, channels, h, w] = logits.shape;
  const cells = h * w;
  const target = label.flatMap((own, i) => {
    const at = (k: number) => boxes.data[(Math.floor(i / cells) * 4 + k) * cells + (i % cells)];
    return own < 0 ? [0, 0, 0, 0, 9, 9, 9, 9] : [own + 1, 0, 0, 0, at(0), at(1), at(2), at(3)];
  });
  const given = { logits, target: { shape: [n, cells * CELL_NUMBERS], data: target }, rows, sums: 4 };
  const { loss, gradient, metrics } = await runLoss(given, detectionLoss);
  expectClose(loss, [c.loss], 1e-5, 'loss');
  expectClose(gradient, c.gradient.data, 1e-5, 'gradient');
  const objects = label.slice(0, rows * cells).filter((own) => own >= 0).length;
  const isRight = (i: number) => {
    const at = (k: number) => logits.data[(Math.floor(i / cells) * channels + k) * cells + (i % cells)];
    const scores = Array.from({ length: channels - 4 }, (_, k) => at(k));
    const box = ([x, y, width, height]: number[]) => ({
      ...{ left: x - Math.exp(width) / 2, right: x + Math.exp(width) / 2 },
      ...{ top: y - Math.exp(height) / 2, bottom: y + Math.exp(height) / 2 },
    });
    const told = box([0, 1, 2, 3].map((k) => at(channels - 4 + k)));
    const there = box(target.slice(i * CELL_NUMBERS + 4, (i + 1) * CELL_NUMBERS));
    return scores.indexOf(Math.max(...scores)) === label[i] && boxOverlap(told, there) >= 0.5;
  };
  const right = label.filter((own, i) => i < rows * cells && own >= 0 && isRight(i)).length;
  expectClose([metrics[0]], [c.loss * rows], 1e-5, 'sum of losses');
  expect(metrics.slice(1)).toEqual([right, rows, objects]);
});

test('of a part of a batch the losses are their share of the whole one’s mean', async () => {
  const { logits, target, rows, ...c } = fixture.pixels[0];
  const [n, classes, h, w] = logits.shape;
  const given = { logits, target: { shape: [n, h * w], data: target }, rows, sums: 4 * (1 + classes) };
  const { loss, gradient } = await runLoss(given, pixelCrossEntropy, 2 * rows);
  expectClose(loss, [c.loss / 2], 1e-5, 'loss');
  expectClose(
    gradient,
    c.gradient.data.map((value) => value / 2),
    1e-5,
    'gradient',
  );
});

test('rows of a table come in the order of a batch', async () => {
  const graph = new Graph();
  const table = graph.tensor('table', [5, 8], { role: 'input' });
  const order = graph.tensor('order', [5], { role: 'input', dtype: 'u32', padded: [5] });
  copy(
    graph,
    'out',
    gatherRows(graph, 'rows', { table, order, batch: 3 }),
    graph.tensor('out', [3, 8], { role: 'output' }),
  );
  const session = await sessionOf(graph);
  session.write(
    'input:table',
    Float32Array.from({ length: 40 }, (_, i) => i),
  );
  session.write('input:order', Uint32Array.of(0, 4, 2, 1, 3));
  session.run('run', { batchOffset: 1, rows: 2 });
  const [out] = await session.read('output:out');
  session.destroy();
  const row = (n: number) => Array.from({ length: 8 }, (_, i) => 8 * n + i);
  expect([...out]).toEqual([...row(4), ...row(2), ...new Array(8).fill(0)]);
});
