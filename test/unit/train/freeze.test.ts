import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/errors';
import { Graph } from '../../../src/graph/graph';
import { buildModel } from '../../../src/model/builder';
import { instantiate } from '../../../src/model/instantiate';
import { refconvs } from '../../../src/model/refconv';
import type { RunSettings } from '../../../src/train/settings';
import { trainedModel } from '../../../src/train/trained-model';
import { runSettings } from '../../settings';

const network = buildModel({ name: 'a net', classes: 5 }, (net, x) => {
  let y = net.batchNorm('stem.bn', net.conv('stem.conv', x, 8, 3), 'relu');
  y = net.layerNorm('block.norm', net.conv('block.depthwise', y, 8, 3, { groups: 8, bias: true }), 1e-6);
  y = net.add(y, net.stochasticDepth(net.batchNorm('block.bn', y), 0.5));
  return net.head('classifier.1', net.globalAvgPool(y));
});
const parameters = network.state.filter(({ role }) => role === 'parameter').map(({ name }) => name);

const frozen = (settings: Partial<RunSettings>) =>
  trainedModel(network, runSettings({ method: 'finetune', ...settings }), 'net.pth');

/** What a run trains of the network's own parameters. */
const trains = (settings: Partial<RunSettings>) =>
  frozen(settings)
    .state.filter(({ role, init }) => role === 'parameter' && init !== 'map')
    .map(({ name }) => name);

describe('what does not train', () => {
  test.each<[RunSettings['freeze'], string[]]>([
    ['none', parameters],
    ['backbone', ['classifier.1.weight', 'classifier.1.bias']],
    ['norms', parameters.filter((name) => !/norm|bn/.test(name))],
    [['stem'], parameters.filter((name) => !name.startsWith('stem.'))],
    [['stem.conv.weight'], parameters.filter((name) => name !== 'stem.conv.weight')],
    [['*.bias'], parameters.filter((name) => !name.endsWith('.bias'))],
    [['*.bn', '*ise'], parameters.filter((name) => !/bn|depthwise/.test(name))],
    [['b*k.*th*.w*t'], parameters.filter((name) => name !== 'block.depthwise.weight')],
  ])('%s', (freeze, expected) => {
    expect(trains({ freeze })).toEqual(expected);
  });

  test('all but the maps', () => {
    const model = frozen({ method: 'refocus', freeze: 'all-but-maps', path: 'dense' });
    expect(model.state.filter(({ role }) => role === 'parameter').map(({ name }) => name)).toEqual([
      'block.depthwise.convmap.weight',
    ]);
    const factored = frozen({ method: 'refocus', freeze: 'all-but-maps' });
    expect(factored.state.every(({ role }) => role !== 'parameter')).toBe(true);
    // jointly trained bases are no maps
    expect(trains({ method: 'joint', freeze: 'all-but-maps' })).toEqual([]);
  });

  test('is no convolution with a map', () => {
    const refocused = (freeze: RunSettings['freeze']) =>
      refconvs(frozen({ method: 'refocus', layers: 'spatial', freeze })).map(({ name }) => name);
    expect(refocused('norms')).toEqual(['stem.conv', 'block.depthwise']);
    expect(refocused(['stem'])).toEqual(['block.depthwise']);
    expect(refocused(['block'])).toEqual(['stem.conv']);
  });

  test.each<[string, Partial<RunSettings>, RegExp]>([
    [
      'a pattern without a parameter',
      { freeze: ['layer4'] },
      /net\.pth has no parameter that "layer4" names/,
    ],
    ['a part of a name', { freeze: ['ste'] }, /"ste" names/],
    ['everything', { freeze: ['*'] }, /Nothing is left to train: freeze less/],
    ['all but maps that there are not', { freeze: 'all-but-maps' }, /needs a method with maps/],
    ['the backbone, maps and all', { method: 'refocus', freeze: 'backbone' }, /is frozen: .* finetune/],
  ])('%s is refused', (_, settings, message) => {
    expect(() => frozen(settings)).toThrow(UserError);
    expect(() => frozen(settings)).toThrow(message);
  });
});

describe('frozen means the same function', () => {
  /** Ops of a training step's forward pass. */
  const ops = (settings: Partial<RunSettings>, frozenBackbone = false) => {
    const graph = new Graph();
    const x = graph.tensor('x', [2, 6, 6, 3], { role: 'input' });
    instantiate(frozen(settings), graph, x, { training: true, frozenBackbone });
    return graph.nodes.map(({ op, name }) => `${op.name} ${name}`);
  };
  const byBatch = (name: string) => `batch_norm_statistics ${name}`;
  const byRunning = (name: string) => `batch_norm_running ${name}`;

  test('a batch norm goes by its running statistics where weight and bias are frozen', () => {
    expect(ops({})).toEqual(expect.arrayContaining([byBatch('stem.bn'), byBatch('block.bn')]));
    expect(ops({ freeze: ['stem.bn'] })).toEqual(
      expect.arrayContaining([byRunning('stem.bn'), byBatch('block.bn')]),
    );
    expect(ops({ freeze: ['stem.bn.weight'] })).toContain(byBatch('stem.bn'));
  });

  test('a frozen backbone drops no branch, whether for the run or while the head trains alone', () => {
    const drops = (list: string[]) => list.filter((op) => op.startsWith('dropout'));
    expect(drops(ops({}))).toHaveLength(1);
    expect(drops(ops({ freeze: 'norms' }))).toHaveLength(1);
    for (const list of [ops({ freeze: 'backbone' }), ops({}, true)]) {
      expect(drops(list)).toEqual([]);
      expect(list).toEqual(expect.arrayContaining([byRunning('stem.bn'), byRunning('block.bn')]));
    }
  });
});
