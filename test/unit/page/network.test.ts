import { describe, expect, test } from 'vitest';
import { Graph } from '../../../src/graph/graph';
import { buildModel } from '../../../src/model/builder';
import { instantiate } from '../../../src/model/instantiate';
import { layerCosts } from '../../../src/model/layer-costs';
import { type Model, parameterCount } from '../../../src/model/model';
import { createModel } from '../../../src/model/zoo';
import { blockOf, itemsOf } from '../../../src/page/network/items';
import { edgesOf, foundRows, groupsOf, MAX_LANES, rowsOf } from '../../../src/page/network/rows';
import { variedArchitectures } from '../../architectures';

const itemsFor = (model: Model, side: number) => itemsOf(model, layerCosts(model, side, side));

describe('items', () => {
  const model = createModel('resnet20_cifar', { classes: 10 });
  const items = itemsFor(model, 32);
  const named = (name: string) => items.find((item) => item.name === name)!;

  test('are a network’s layers in order of execution, each with its norm and activation', () => {
    expect(items[0]).toMatchObject({
      name: 'conv1',
      kind: 'convolution 3×3, batch norm, ReLU',
      inputs: [-1],
      shape: [32, 32, 16],
      parameters: 432 + 32,
      multiplyAdds: 32 * 32 * 432,
      block: '',
      tensors: ['conv1.weight', 'bn1.weight', 'bn1.bias', 'bn1.running_mean', 'bn1.running_var'],
    });
    expect(named('layer2.0.conv1').kind).toBe('convolution 3×3, stride 2, batch norm, ReLU');
    expect(items[items.length - 1]).toMatchObject({ name: 'linear', kind: 'linear', shape: [1, 1, 10] });
    for (const { index, inputs } of items) for (const input of inputs) expect(input).toBeLessThan(index);
  });

  test('leave a layer on its own whose input is read by others too', () => {
    const twice = buildModel({ name: 'twice', classes: 3 }, (net, x) => {
      const y = net.conv('c', x, 4, 3);
      return net.head('fc', net.globalAvgPool(net.add(y, net.activation(y, 'relu'))));
    });
    const all = itemsFor(twice, 8);
    expect(all.map(({ kind }) => kind).slice(0, 3)).toEqual(['convolution 3×3', 'ReLU', 'addition']);
    expect(all[2].inputs).toEqual([0, 1]);
  });

  test.each([
    ['mobilenet_v2', 224, 3_504_872, 300_774_272],
    ['resnet18', 224, 11_689_512, 1_814_073_344],
    ['densenet121', 224, 7_978_856, 2_834_161_664],
  ])('of %s come to what torchvision says', (arch, side, parameters, multiplyAdds) => {
    const network = createModel(arch, { classes: 1000 });
    const all = itemsFor(network, side);
    const sum = (of: 'parameters' | 'multiplyAdds') => all.reduce((total, item) => total + item[of], 0);
    expect(sum('parameters')).toBe(parameters);
    expect(sum('parameters')).toBe(parameterCount(network));
    expect(sum('multiplyAdds')).toBe(multiplyAdds);
  });

  test.each(variedArchitectures)(
    'of %s have every tensor once, all multiply-adds, and words for what they do',
    (arch) => {
      const network = createModel(arch, {});
      const all = itemsFor(network, 64);
      expect(all.flatMap(({ tensors }) => tensors).sort()).toEqual(
        network.state.map(({ name }) => name).sort(),
      );
      const { channels } = network.input;
      const graph = new Graph();
      const x = graph.tensor('x', [1, 64, 64, channels], { role: 'input' });
      const { multiplyAdds } = instantiate(network, graph, x, { training: false });
      expect(all.reduce((sum, item) => sum + item.multiplyAdds, 0)).toBe(multiplyAdds);
      for (const { kind } of all) expect(kind).toMatch(/^[^_]+$/);
    },
  );
});

test('a block is what numbered parts of a name say, the last left out', () => {
  const blocks = {
    conv1: '',
    'layer1.0.conv1': 'layer1.0',
    'layer1.0.downsample.0': 'layer1.0',
    'features.3.conv.0.0': 'features.3',
    'features.2.0.block.1.fc1': 'features.2.0',
    'features.denseblock1.denselayer12.conv2': 'features.denseblock1.denselayer12',
    'classifier.1': '',
  };
  for (const [name, block] of Object.entries(blocks)) expect(blockOf(name)).toBe(block);
});

describe('rows', () => {
  const items = itemsFor(createModel('resnet20_cifar', { classes: 10 }), 32);

  test('fold by block, and open one by one', () => {
    const folded = rowsOf(items, new Set());
    expect(folded.map(({ isBlock, items: [first] }) => (isBlock ? first.block : first.name))).toEqual([
      'conv1',
      ...[1, 2, 3].flatMap((layer) => [0, 1, 2].map((block) => `layer${layer}.${block}`)),
      'linear',
    ]);
    const key = folded[1].key;
    const opened = rowsOf(items, new Set([key]));
    const inner = opened.filter(({ level }) => level === 2);
    expect(inner.map(({ items: [item] }) => item.name)).toEqual([
      'layer1.0.conv1',
      'layer1.0.conv2',
      'addition',
    ]);
    expect(opened.filter(({ isBlock }) => !isBlock).length).toBe(5);
    expect(groupsOf(items).flat()).toEqual(items);
  });

  test('a search finds all its words in name and kind, whatever is folded', () => {
    const found = foundRows(items, 'layer3 STRIDE');
    expect(found.map(({ items: [item] }) => item.name)).toEqual(['layer3.0.conv1']);
    expect(foundRows(items, 'nothing of it')).toEqual([]);
  });

  test('edges go from row to row once: blocks in a line, a shortcut beside its layers', () => {
    const folded = rowsOf(items, new Set());
    const line = edgesOf(folded);
    expect(line.map(({ from, to }) => [from, to])).toEqual(folded.slice(1).map((_, i) => [i, i + 1]));
    expect(line.every(({ lane }) => lane === 0)).toBe(true);
    const opened = rowsOf(items, new Set([folded[1].key]));
    // conv1, the open block (no point), conv1, conv2, addition
    const inner = edgesOf(opened)
      .filter(({ to }) => to <= 4)
      .sort((a, b) => a.to - b.to || a.from - b.from);
    expect(inner).toEqual([
      { from: 0, to: 2, lane: 0 },
      { from: 2, to: 3, lane: 0 },
      { from: 0, to: 4, lane: 1 },
      { from: 3, to: 4, lane: 0 },
    ]);
  });

  test('edges of one lane do not lie over each other, as long as there are lanes', () => {
    const dense = buildModel({ name: 'dense', classes: 3 }, (net, x) => {
      const all = [net.conv('c', x, 4, 3)];
      for (let i = 0; i < 4; i++) all.push(net.conv(`d${i}x`, net.concat(all), 4, 3));
      return net.head('fc', net.globalAvgPool(net.concat(all)));
    });
    const edges = edgesOf(rowsOf(itemsFor(dense, 8), new Set()));
    for (const a of edges)
      for (const b of edges)
        if (a !== b && a.lane > 0 && a.lane === b.lane && a.lane < MAX_LANES)
          expect(a.to <= b.from || b.to <= a.from).toBe(true);
    expect(Math.max(...edges.map(({ lane }) => lane))).toBeLessThanOrEqual(MAX_LANES);
  });

  test('a network of a thousand layers is laid out at once', () => {
    const deep = createModel('resnet_cifar', { kwargs: { depth: 1202 }, classes: 10 });
    const all = itemsFor(deep, 32);
    const opened = rowsOf(all, new Set(rowsOf(all, new Set()).map(({ key }) => key)));
    expect(opened.length).toBeGreaterThan(1800);
    expect(edgesOf(opened).length).toBeGreaterThan(1800);
  });
});
