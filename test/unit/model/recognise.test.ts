import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { candidatePrefixes } from '../../../src/io/prefix';
import type { Shape } from '../../../src/model/recognise/match';
import { recognise } from '../../../src/model/recognise/recognise';
import { describeCandidate, titleOf } from '../../../src/model/recognise/words';
import { type ArchitectureOptions, architectureNames, createModel } from '../../../src/model/zoo';

type Shapes = Map<string, Shape>;

/** State dicts of torchvision and of the CIFAR ResNets, written by test/fixtures/make_state_dicts.py. */
const fixtures: { arch: string; options: ArchitectureOptions; entries: [string, number[]][] }[] = JSON.parse(
  gunzipSync(readFileSync(new URL('../../fixtures/state-dicts.json.gz', import.meta.url))).toString(),
);

const architectures = architectureNames();
const recogniseAll = (shapes: Shapes) =>
  recognise(shapes, candidatePrefixes(shapes.keys()), { architectures });
const stateOf = (arch: string, options: ArchitectureOptions = {}): Shapes =>
  new Map(createModel(arch, options).state.map(({ name, shape }) => [name, shape]));
const orders: [string, (entries: [string, Shape][]) => [string, Shape][]][] = [
  ['in its order', (entries) => entries],
  ['with sorted names', (entries) => [...entries].sort(([a], [b]) => (a < b ? -1 : 1))],
];

/** What no shape tells: two networks that differ in these alone have one state dict. */
const untold = [
  'stem_stride',
  'dilated',
  'dropout',
  'drop_rate',
  'drop_path_rate',
  'stochastic_depth_prob',
  'layer_scale',
];

describe.each(orders)('a state dict %s', (_, order) => {
  test.each(fixtures.map((f) => [`${f.arch} ${JSON.stringify(f.options)}`, f] as const))(
    '%s',
    (_, { arch, options, entries }) => {
      const shapes = new Map(order(entries.map(([name, shape]) => [`module.${name}`, shape])));
      const { fits } = recogniseAll(shapes);
      // a MobileNetV2 of other blocks has strides that only its maker knows
      if (options.kwargs?.inverted_residual_setting) return expect(fits).toEqual([]);
      const [{ args, match, arch: found }] = fits;
      expect(match).toMatchObject({ prefix: 'module.', classes: options.classes, unused: [] });
      const told = (a: string, kwargs: object) => {
        const model = createModel(a, { kwargs: { ...kwargs }, classes: options.classes });
        return [model.state.map(({ name, shape }) => [name, shape]), model.layers.length];
      };
      const { width } = options;
      const known = Object.entries(options.kwargs ?? {}).filter(([name]) => !untold.includes(name));
      const given: Record<string, unknown> = Object.fromEntries(known);
      // taken without the stride that networks of such a stem mostly lack
      if (given.stem_kernel === 3) given.stem_stride = 1;
      expect(told(found, args)).toEqual(
        told(arch, width === undefined ? given : { ...given, width_mult: width }),
      );
    },
  );
});

/** A state dict under other names: `rename` gives the file's key, undefined where the file lacks it. */
const renamed = (
  shapes: Shapes,
  rename: (name: string) => string,
  shape = (_: string, s: Shape) => s,
): Shapes => new Map([...shapes].map(([name, s]) => [rename(name), shape(name, s)]));

/** Names of timm's blocks after the zoo's: modules in the order of torchvision's, `count` blocks a stage. */
function timmNames(shapes: Shapes, block: RegExp, head: string[], stages: number[]): Shapes {
  const modules = [...new Set([...shapes.keys()].map((name) => name.replace(/\.[^.]+$/, '')))];
  const blocks = [...new Set(modules.flatMap((m) => block.exec(m)?.[0] ?? []))];
  const places = stages.flatMap((count, s) => Array.from({ length: count }, (_, i) => `blocks.${s}.${i}`));
  const names = new Map<string, string>();
  blocks.forEach((prefix, i) => {
    const inner = modules.filter((m) => m.startsWith(prefix));
    const squeezed = inner.some((m) => m.endsWith('fc1'));
    const expanded = inner.length - (squeezed ? 2 : 0) === 6;
    const se = squeezed ? ['se.conv_reduce', 'se.conv_expand'] : [];
    const order = expanded
      ? ['conv_pw', 'bn1', 'conv_dw', 'bn2', ...se, 'conv_pwl', 'bn3']
      : ['conv_dw', 'bn1', ...se, 'conv_pw', 'bn2'];
    for (const [j, m] of inner.entries()) names.set(m, `${places[i]}.${order[j]}`);
  });
  const around = modules.filter((m) => !names.has(m));
  for (const [i, name] of ['conv_stem', 'bn1', ...head].entries()) names.set(around[i], name);
  return renamed(shapes, (name) => {
    const leaf = /\.[^.]+$/.exec(name)![0];
    return names.get(name.slice(0, -leaf.length))! + leaf;
  });
}

const convnextNames = (publisher: 'timm' | 'facebookresearch') => (name: string) => {
  const [, index, part, rest] = /^features\.(\d+)\.(\d+)\.?(.*)$/.exec(name) ?? [];
  const timm = publisher === 'timm';
  if (index === undefined) {
    const [norm, linear] = timm ? ['head.norm', 'head.fc'] : ['norm', 'head'];
    return name.replace('classifier.0', norm).replace('classifier.2', linear);
  }
  const stage = Math.ceil(Number(index) / 2);
  if (index === '0') return `${timm ? 'stem' : 'downsample_layers.0'}.${part}.${rest}`;
  if (Number(index) % 2 === 0) {
    const place = timm ? `stages.${stage}.downsample` : `downsample_layers.${stage}`;
    return `${place}.${part}.${rest}`;
  }
  const modules = timm ? ['conv_dw', 'norm', 'mlp.fc1', 'mlp.fc2'] : ['dwconv', 'norm', 'pwconv1', 'pwconv2'];
  const inner = ['block.0', 'block.2', 'block.3', 'block.5'].reduce(
    (text, from, i) => text.replace(from, modules[i]),
    rest.replace('layer_scale', 'gamma'),
  );
  return `stages.${stage - 1}.${timm ? 'blocks.' : ''}${part}.${inner}`;
};

/** timm's stages behind its stem, and its head, where the zoo's are `stage0` and so on, and `linear`. */
const branchNames = (name: string): string =>
  name
    .replace(/^stage0/, 'stem')
    .replace(/^stage(\d)/, (_, n) => `stages.${Number(n) - 1}`)
    .replace(/^linear/, 'head.fc');

const BLOCK = /^features\.\d+\.(conv|block)\./;
const asVector = (name: string, shape: Shape) => (name.endsWith('layer_scale') ? shape.slice(0, 1) : shape);
const asConvolution = (name: string, shape: Shape) =>
  name === 'classifier.0.weight' ? [...shape, 1, 1] : shape;

const dialects: [string, string, ArchitectureOptions, Shapes][] = [
  [
    'MobileNetV2 x0.75 of timm, 5 classes',
    'mobilenet_v2',
    { width: 0.75, classes: 5 },
    timmNames(
      stateOf('mobilenet_v2', { width: 0.75, classes: 5 }),
      BLOCK,
      ['conv_head', 'bn2', 'classifier'],
      [1, 2, 3, 4, 3, 3, 1],
    ),
  ],
  ...(
    [
      ['', 1],
      [' x0.5', 0.5],
      [' x0.75', 0.75],
    ] as const
  ).map(([factor, width]): [string, string, ArchitectureOptions, Shapes] => {
    const options = { width, kwargs: { width_scaling: 'timm' } };
    return [
      `MobileNetV3-Small${factor} of timm, 1,000 classes`,
      'mobilenet_v3_small',
      options,
      timmNames(
        renamed(stateOf('mobilenet_v3_small', options), (name) => name, asConvolution),
        BLOCK,
        ['blocks.5.0.conv', 'blocks.5.0.bn1', 'conv_head', 'classifier'],
        [1, 2, 3, 2, 3],
      ),
    ];
  }),
  [
    'EfficientNet-B0 of timm, 1,000 classes',
    'efficientnet_b0',
    {},
    timmNames(
      stateOf('efficientnet_b0'),
      /^features\.\d+\.\d+\.block\./,
      ['conv_head', 'bn2', 'classifier'],
      [1, 2, 2, 3, 3, 4, 1],
    ),
  ],
  [
    'EfficientNet-B0 of lukemelas, 1,000 classes',
    'efficientnet_b0',
    {},
    renamed(
      timmNames(
        stateOf('efficientnet_b0'),
        /^features\.\d+\.\d+\.block\./,
        ['_conv_head', '_bn1', '_fc'],
        Array.from({ length: 16 }, () => 1),
      ),
      (name) => {
        const [, index, module, leaf] = /^blocks\.(\d+)\.0\.(.+)\.([^.]+)$/.exec(name) ?? [];
        if (index === undefined) return name.replace(/^conv_stem/, '_conv_stem').replace(/^bn1/, '_bn0');
        const plain = index === '0';
        const names: Record<string, string> = {
          conv_pw: plain ? '_project_conv' : '_expand_conv',
          bn1: plain ? '_bn1' : '_bn0',
          conv_dw: '_depthwise_conv',
          bn2: plain ? '_bn2' : '_bn1',
          'se.conv_reduce': '_se_reduce',
          'se.conv_expand': '_se_expand',
          conv_pwl: '_project_conv',
          bn3: '_bn2',
        };
        return `_blocks.${index}.${names[module]}.${leaf}`;
      },
    ),
  ],
  ...(['timm', 'facebookresearch'] as const).map(
    (publisher): [string, string, ArchitectureOptions, Shapes] => [
      `ConvNeXt-Tiny of ${publisher}, 1,000 classes`,
      'convnext_tiny',
      {},
      renamed(stateOf('convnext_tiny'), convnextNames(publisher), asVector),
    ],
  ),
  [
    'ConvNeXtV2-Atto of facebookresearch, 1,000 classes',
    'convnextv2_atto',
    {},
    renamed(
      stateOf('convnextv2_atto'),
      (name) =>
        name
          .replace(/^stem/, 'downsample_layers.0')
          .replace(/^stages\.(\d)\.downsample/, 'downsample_layers.$1')
          .replace('.blocks', '')
          .replace('conv_dw', 'dwconv')
          .replace('mlp.grn.weight', 'grn.gamma')
          .replace('mlp.grn.bias', 'grn.beta')
          .replace('mlp.fc1', 'pwconv1')
          .replace('mlp.fc2', 'pwconv2')
          .replace('head.norm', 'norm')
          .replace('head.fc', 'head'),
      (name, shape) => (name.includes('.grn.') ? [1, 1, 1, ...shape] : shape),
    ),
  ],
  [
    'FasterNet-T0 of JierunChen, 1,000 classes',
    'fasternet_t0',
    {},
    renamed(stateOf('fasternet_t0'), (name) =>
      name
        .replace(/^stages\.(\d)\.downsample/, (_, n) => `stages.${2 * Number(n) - 1}`)
        .replace(/^stages\.(\d)\.blocks/, (_, n) => `stages.${2 * Number(n)}.blocks`)
        .replace('conv_head', 'avgpool_pre_head.1')
        .replace('classifier', 'head'),
    ),
  ],
  ...[false, true].map((deployed): [string, string, ArchitectureOptions, Shapes] => {
    const options = { kwargs: { inference_mode: deployed } };
    return [
      `MobileOne-S4${deployed ? ' {"inference_mode":true}' : ''} of timm, 1,000 classes`,
      'mobileone_s4',
      options,
      renamed(stateOf('mobileone_s4', options), (name) =>
        branchNames(name)
          .replace('.rbr_conv.', '.conv_kxk.')
          .replace('.rbr_scale.', '.conv_scale.')
          .replace('.rbr_skip.', '.identity.')
          .replace('.se.reduce.', '.attn.fc1.')
          .replace('.se.expand.', '.attn.fc2.'),
      ),
    ];
  }),
  [
    'RepVGG-A0 of timm, 1,000 classes',
    'repvgg_a0',
    {},
    renamed(stateOf('repvgg_a0'), (name) =>
      branchNames(name)
        .replace('.rbr_dense.', '.conv_kxk.')
        .replace('.rbr_1x1.', '.conv_1x1.')
        .replace('.rbr_identity.', '.identity.'),
    ),
  ],
  [
    'SLaK-T of VITA-Group, 1,000 classes',
    'slak_tiny',
    {},
    renamed(stateOf('slak_tiny'), (name) => name.replace('.Decom', '.LoRA')),
  ],
  [
    'ResNet-20 for CIFAR {"option":"B"} of chenyaofo, 10 classes',
    'resnet20_cifar',
    { kwargs: { option: 'B' } },
    renamed(stateOf('resnet20_cifar', { kwargs: { option: 'B' } }), (name) =>
      name.replace('.shortcut.', '.downsample.').replace('linear.', 'fc.'),
    ),
  ],
  ...[18, 50].map((depth): [string, string, ArchitectureOptions, Shapes] => {
    const options = { kwargs: { stem_kernel: 3 }, stemStride: 1 as const, classes: 10 };
    return [
      `ResNet-${depth} {"stem_kernel":3,"stem_stride":1} of kuangliu, 10 classes`,
      `resnet${depth}`,
      options,
      renamed(stateOf(`resnet${depth}`, options), (name) =>
        name.replace('.downsample.', '.shortcut.').replace('fc.', 'linear.'),
      ),
    ];
  }),
  [
    'DenseNet-121 of torchvision, 1,000 classes',
    'densenet121',
    {},
    renamed(stateOf('densenet121'), (name) => name.replace(/(denselayer\d+\.(norm|conv))(\d)/, '$1.$3')),
  ],
];

describe.each(orders)('names of other publishers, %s', (_, order) => {
  test.each(dialects)('%s', (sentence, arch, options, shapes) => {
    const { fits } = recogniseAll(new Map(order([...shapes])));
    expect(fits.map(describeCandidate)).toEqual([sentence]);
    const { state } = createModel(arch, options);
    const names = [...fits[0].match.names].filter(([key]) => shapes.has(key));
    expect(names.map(([, name]) => name).sort()).toEqual(state.map(({ name }) => name).sort());
    // each key stands for the tensor that it was renamed from
    const zoo = [...state.map(({ name }) => name)];
    for (const [i, key] of [...shapes.keys()].entries()) expect(fits[0].match.names.get(key)).toBe(zoo[i]);
  });
});

test.each([
  ['resnet18', 1],
  ['convnext_tiny', 1],
  ['mobileone_s1', 1],
  ['ds_cnn', 3],
])('%s of images of %i channels', (arch, in_chans) => {
  const [{ arch: found, args }] = recogniseAll(stateOf(arch, { kwargs: { in_chans } })).fits;
  expect([found, args.in_chans]).toEqual([arch, in_chans]);
});

test('prefixes, wrappers of a part and heads of their own', () => {
  const shapes = stateOf('mobilenet_v2', { width: 0.35, classes: 3 });
  const file: Shapes = new Map([['epoch_weights', [4]]]);
  for (const [name, shape] of shapes) {
    if (!name.startsWith('classifier')) file.set(`model.backbone.${name}`, shape);
  }
  file.set('model.head.weight', [3, 1280]).set('model.head.bias', [3]);
  const [{ match }] = recogniseAll(file).fits;
  expect(match).toMatchObject({ prefix: 'model.backbone.', classes: 3, unused: ['epoch_weights'] });
  expect(match.names.get('model.head.weight')).toBe('classifier.1.weight');
  file.delete('model.head.weight');
  expect(recogniseAll(file).fits[0].match.classes).toBeUndefined();
});

test('a classifier over other features is none of the network’s', () => {
  const shapes = stateOf('resnet18', { classes: 7 }).set('fc.weight', [7, 2048]);
  const [{ match }] = recogniseAll(shapes).fits;
  expect(match.names.has('fc.weight')).toBe(false);
  expect(match.unused).toContain('fc.weight');
});

test('a classifier that takes other features is none', () => {
  const shapes = stateOf('resnet18');
  shapes.set('fc.weight', [7, 511]).set('fc.bias', [7]);
  const [{ match }] = recogniseAll(shapes).fits;
  expect(match.classes).toBeUndefined();
  expect(match.unused).toContain('fc.weight');
});

test.each([
  ['fc.0', 'fc.3'],
  ['fc', 'head.out'],
])('a head of several layers, %s and %s, is none: its first layer tells no classes', (first, last) => {
  const shapes = stateOf('resnet18');
  for (const leaf of ['weight', 'bias']) shapes.delete(`fc.${leaf}`);
  shapes.set(`${first}.weight`, [256, 512]).set(`${first}.bias`, [256]);
  shapes.set(`${last}.weight`, [3, 256]).set(`${last}.bias`, [3]);
  const [{ match }] = recogniseAll(shapes).fits;
  expect(match).toMatchObject({ classes: undefined, layeredHead: first });
  expect(match.unused).toEqual([`${first}.weight`, `${first}.bias`, `${last}.weight`, `${last}.bias`]);
});

test('a classifier without its bias is none', () => {
  const shapes = stateOf('resnet18');
  shapes.delete('fc.bias');
  const [{ match }] = recogniseAll(shapes).fits;
  expect(match).toMatchObject({ classes: undefined, unused: ['fc.weight'] });
  expect(match.layeredHead).toBeUndefined();
});

test('a network that is not here: the nearest, and where it differs', () => {
  const shapes = stateOf('resnet34');
  shapes.set('layer1.0.conv1.weight', [64, 64, 1, 1]).set('layer1.0.conv3.weight', [256, 64, 1, 1]);
  const { fits, nearest } = recogniseAll(shapes);
  expect(fits).toEqual([]);
  expect(nearest?.arch).toBe('resnet34');
  expect(nearest?.match.mismatched).toEqual([
    {
      key: 'layer1.0.conv1.weight',
      name: 'layer1.0.conv1.weight',
      file: [64, 64, 1, 1],
      network: [64, 64, 3, 3],
    },
  ]);
  expect(nearest?.match.unused).toEqual(['layer1.0.conv3.weight']);
  expect(recogniseAll(new Map([['a.weight', [3, 3]]]))).toEqual({ fits: [], nearest: undefined });
});

test('a network that uses the whole file comes before a published one that fits a part of it', () => {
  const blocks = [
    [96, 192, 3],
    [192, 384, 3],
    [384, 768, 10],
    [768, null, 3],
  ];
  const { fits } = recogniseAll(stateOf('convnext', { kwargs: { blocks } }));
  expect(fits.map(({ arch, match }) => [arch, match.unused.length])).toEqual([
    ['convnext', 0],
    ['convnext_tiny', 9],
  ]);
  expect(fits[0].args).toMatchObject({ blocks });
});

test('every architecture has a title', () => {
  expect(architectures.filter((arch) => titleOf(arch) === arch)).toEqual([]);
});
