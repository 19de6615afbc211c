import { expect, test } from 'vitest';
import { compile } from '../../../src/graph/compile';
import type { Plan } from '../../../src/graph/ir';
import { GPU_TUNING, SOFTWARE_TUNING } from '../../../src/graph/tuning';
import { createModel } from '../../../src/model/zoo';
import { standardPasses } from '../../../src/passes/standard';
import { trainingGraph } from '../../../src/train/programs';
import { runSettings } from '../../settings';

const images = { name: 'train', count: 8, height: 32, width: 32, mean: [0, 0, 0], std: [1, 1, 1] };

test('a graph is compiled again and again, for other tunings and storage, and stays as it is', () => {
  const { graph } = trainingGraph({
    model: createModel('mobilenet_v2', { classes: 10, width: 0.35 }),
    images,
    batch: 8,
    settings: runSettings(),
  });
  const nodes = graph.nodes.map((node) => structuredClone({ ...node, op: node.op.name }));
  const tensors = structuredClone(graph.tensors);
  const first = compile(graph, { passes: standardPasses() });
  const halved = compile(graph, { passes: standardPasses({ storage: 'f16' }) });
  const software = compile(graph, { passes: standardPasses(), tuning: SOFTWARE_TUNING });
  expect(halved.totals.bytes).toBeLessThan(first.totals.bytes);
  // a sum whose parts are one is no dispatch of its own
  const computing = (plan: Plan) =>
    plan.dispatches.filter(({ shader }) => !shader.startsWith('reduce/sum_splits')).map(({ label }) => label);
  expect(computing(software)).toEqual(computing(first));
  expect(software.dispatches).not.toEqual(first.dispatches);
  expect(compile(graph, { passes: standardPasses(), tuning: GPU_TUNING })).toEqual(first);
  expect(graph.nodes.map((node) => ({ ...node, op: node.op.name }))).toEqual(nodes);
  expect(graph.tensors).toEqual(tensors);
});
