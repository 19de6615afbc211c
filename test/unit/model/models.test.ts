import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/errors';
import { Graph } from '../../../src/graph/graph';
import { instantiate } from '../../../src/model/instantiate';
import { type Layer, type Model, type Pair, parameterCount } from '../../../src/model/model';
import { usualResizing } from '../../../src/model/recognise/resizing';
import { type ArchitectureOptions, architectureNames, createModel } from '../../../src/model/zoo';

interface Fixture {
  arch: string;
  options: ArchitectureOptions & { classes: number };
  size: number;
  multiplyAdds: number;
  /** what a forward pass of training calls, and how often */
  calls: Record<string, number>;
  /** side of the images, interpolation and share of the image that torchvision's weights are tested with */
  resizing: [size: number, interpolation: string, cropPct: number] | null;
  /** the state dict in its order */
  entries: [name: string, shape: number[]][];
}

const fixtures: Fixture[] = JSON.parse(
  gunzipSync(readFileSync(new URL('../../fixtures/state-dicts.json.gz', import.meta.url))).toString(),
);

describe('architectures are torchvision’s', () => {
  test('every architecture has a fixture', () => {
    expect(architectureNames().filter((name) => !fixtures.some((f) => f.arch === name))).toEqual([]);
  });

  test.each(fixtures.map((f) => [`${f.arch} ${JSON.stringify(f.options)} at ${f.size}`, f] as const))(
    '%s',
    (_, { arch, options, size, multiplyAdds, calls, resizing, entries }) => {
      const model = createModel(arch, options);
      const graph = new Graph();
      const x = graph.tensor('x', [2, size, size, model.input.channels], { role: 'input' });
      const { logits, multiplyAdds: counted } = instantiate(model, graph, x, { training: false });
      expect(model.state.map(({ name, shape }) => `${name} ${shape.join('x')}`)).toEqual(
        entries.map(([name, shape]) => `${name} ${shape.join('x')}`),
      );
      expect(counted).toBe(multiplyAdds);
      expect(callsOf(model)).toEqual(calls);
      expect(logits.shape).toEqual([2, 1, 1, options.classes]);
      if (resizing) {
        const { interpolation, cropPct } = usualResizing('torchvision', arch);
        expect([model.input.size, interpolation, cropPct]).toEqual(resizing);
      }
      const parameters = entries.filter(([name]) => !/running_(mean|var)$/.test(name));
      const count = parameters.reduce((sum, [, shape]) => sum + shape.reduce((a, b) => a * b, 1), 0);
      expect(parameterCount(model)).toBe(count);
    },
  );
});

// as timm's modules have them; its tables say 1.59, 2.04, 2.54 and 3.99 million
test.each([
  ['mobilenet_v3_small', 0.5, 1_593_224, 16],
  ['mobilenet_v3_small', 0.75, 2_041_872, 16],
  ['mobilenet_v3_small', 1, 2_542_856, 16],
  ['mobilenet_v3_large', 0.5, 2_689_904, 16],
  ['mobilenet_v3_large', 0.75, 3_993_528, 16],
])('%s x%d scaled as timm does', (arch, width, parameters, stem) => {
  const model = createModel(arch, { width, kwargs: { width_scaling: 'timm' }, classes: 1000 });
  expect(parameterCount(model)).toBe(parameters);
  expect(model.state[0].shape).toEqual([stem, 3, 3, 3]);
});

/** What a forward pass of the model calls, in the fixture's words. */
function callsOf({ layers }: Model): Record<string, number> {
  const calls: Record<string, number> = {};
  for (const call of layers.flatMap(callsOfLayer)) calls[call] = (calls[call] ?? 0) + 1;
  return calls;
}

function callsOfLayer(layer: Layer): string[] {
  const window = ({ kernel, stride, padding }: { kernel: Pair; stride: Pair; padding: Pair }) =>
    `kernel=${kernel} stride=${stride} padding=${padding}`;
  switch (layer.kind) {
    case 'conv': {
      const { stride, dilation, groups } = layer;
      // what is padded unevenly comes padded
      const padding = layer.paddingEnd ? [0, 0] : layer.padding;
      return [`conv stride=${stride} padding=${padding} dilation=${dilation} groups=${groups}`];
    }
    case 'batch_norm': {
      const norm = `batch_norm momentum=${layer.momentum} eps=${pythonic(layer.eps)}`;
      return layer.activation === 'none' ? [norm] : [norm, layer.activation];
    }
    case 'layer_norm':
      return [`layer_norm eps=${pythonic(layer.eps)}`];
    case 'activation':
      return [layer.activation];
    case 'max_pool':
      return [`max_pool ceil=${bool(layer.ceilMode)} ${window(layer)}`];
    case 'avg_pool':
      return [`avg_pool ceil=${bool(layer.ceilMode)} padded=${bool(layer.countIncludePad)} ${window(layer)}`];
    case 'dropout':
    case 'stochastic_depth':
      return [`${layer.kind} p=${Number(layer.p.toFixed(6))}`];
    default:
      return [];
  }
}

/** As Python writes it. */
const bool = (value: boolean) => (value ? 'True' : 'False');

/** A small number as Python writes it: 1e-05. */
const pythonic = (x: number) => (x < 1e-4 ? x.toExponential().replace(/e-(\d)$/, 'e-0$1') : `${x}`);

describe('what an architecture does not take', () => {
  test.each<[string, string, Omit<ArchitectureOptions, 'classes'>, RegExp]>([
    ['an unknown name', 'vgg17', {}, /no architecture "vgg17".*mobilenet_v2/],
    [
      'a width where there is none',
      'resnet18',
      { width: 0.5 },
      /resnet18 has no argument width_mult.*stem_stride/,
    ],
    ['a stem where there is none', 'resnet20_cifar', { stemStride: 1 }, /no argument stem_stride.*depth/],
    [
      'an unknown keyword',
      'densenet',
      { kwargs: { memory_efficient: true } },
      /no argument memory_efficient/,
    ],
    ['an inherited name', 'densenet', { kwargs: JSON.parse('{"__proto__": 1}') }, /no argument __proto__/],
    ['a width twice', 'mobilenet_v2', { width: 1, kwargs: { width_mult: 1 } }, /width_mult is given twice/],
    ['a width of 0', 'mobilenet_v2', { kwargs: { width_mult: 0 } }, /width_mult must be a number above 0/],
    ['a text', 'mobilenet_v3_small', { kwargs: { dilated: 'yes' } }, /dilated must be true or false/],
    [
      'stages that do not meet',
      'convnext',
      {
        kwargs: {
          blocks: [
            [8, 16, 1],
            [12, null, 1],
          ],
        },
      },
      /blocks must be/,
    ],
    ['images of four channels', 'resnet18', { kwargs: { in_chans: 4 } }, /in_chans must be 3, or 1 for gray/],
    ['a network without end', 'densenet', { kwargs: { block_config: [1e9] } }, /block_config must be/],
  ])('%s', (_, arch, options, message) => {
    const make = () => createModel(arch, { classes: 10, ...options });
    expect(make).toThrow(UserError);
    expect(make).toThrow(message);
  });
});
