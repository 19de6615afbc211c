import { expect, test } from 'vitest';
import { resize } from '../../../src/data/images/resize';
import { evaluationOrder } from '../../../src/data/order';
import { readSafetensors } from '../../../src/io/safetensors';
import { createModel } from '../../../src/model/zoo';
import { checkFile } from '../../../src/run/check-file';
import { checkScript } from '../../../src/run/check-script';
import { pytorchNetwork } from '../../../src/run/pytorch-network';
import { fakeGpu } from '../fake-gpu';
import { fakeNetwork, labelled, tinyModel, tinyState } from '../fake-network';

const linesOf = (publisher: string, arch: string, options: Parameters<typeof createModel>[1] = {}) =>
  pytorchNetwork(createModel(arch, { classes: 3, ...options }), publisher).lines;

test.each<[string, Parameters<typeof createModel>[1], string[]]>([
  ['resnet34', {}, ['net = torchvision.models.resnet34(num_classes=3)']],
  [
    'mobilenet_v2',
    { width: 0.35, stemStride: 1 },
    [
      'net = torchvision.models.mobilenet_v2(width_mult=0.35, num_classes=3)',
      'net.features[0][0].stride = (1, 1)',
    ],
  ],
  [
    'mobilenet_v3_small',
    { kwargs: { reduced_tail: true, dropout: 0.5 } },
    ['net = torchvision.models.mobilenet_v3_small(reduced_tail=True, num_classes=3)'],
  ],
  [
    'resnet18',
    { stemStride: 1 },
    [
      'net = torchvision.models.resnet18(num_classes=3)',
      'net.conv1.stride = (1, 1)',
      'net.maxpool = torch.nn.Identity()',
    ],
  ],
  ['densenet', {}, ['net = torchvision.models.densenet121(num_classes=3)']],
  [
    'densenet121',
    { kwargs: { growth_rate: 8 } },
    [
      'net = torchvision.models.DenseNet(growth_rate=8, block_config=[6, 12, 24, 16], num_init_features=64, bn_size=4, num_classes=3)',
    ],
  ],
  ['densenet169', {}, ['net = torchvision.models.densenet169(num_classes=3)']],
  [
    'resnet',
    { kwargs: { block: 'Bottleneck', layers: [1, 2, 3, 4], groups: 2 } },
    [
      'net = torchvision.models.ResNet(torchvision.models.resnet.Bottleneck, [1, 2, 3, 4], groups=2, width_per_group=64, num_classes=3)',
    ],
  ],
  [
    'resnet50',
    { kwargs: { channels: [32, 64, 96, 128] } },
    [
      'net = timm.models.ResNet(timm.models.resnet.Bottleneck, [3, 4, 6, 3], cardinality=1, base_width=64, channels=[32, 64, 96, 128], stem_type="", stem_width=32, avg_down=False, num_classes=3)',
    ],
  ],
  ['convnext_small', {}, ['net = torchvision.models.convnext_small(num_classes=3)']],
  [
    'convnext',
    { kwargs: { blocks: [[8, 16, 1] as const, [16, null, 2] as const] } },
    [
      'from torchvision.models.convnext import CNBlockConfig, ConvNeXt',
      'net = ConvNeXt([CNBlockConfig(*stage) for stage in [[8, 16, 1], [16, None, 2]]], num_classes=3)',
    ],
  ],
])('%s %j as torchvision builds it', (arch, options, lines) => {
  expect(linesOf('torchvision', arch, options)).toEqual(lines);
});

test.each<[string, Parameters<typeof createModel>[1], string[]]>([
  [
    'mobilenet_v3_large',
    { width: 0.75, kwargs: { width_scaling: 'timm' } },
    ['net = timm.create_model("mobilenetv3_large_075", num_classes=3, bn_eps=0.001)'],
  ],
  [
    'mobilenet_v2',
    { stemStride: 1 },
    [
      'net = timm.create_model("mobilenetv2_100", num_classes=3, bn_eps=0.00001)',
      'net.conv_stem.stride = (1, 1)',
    ],
  ],
  ['convnext_tiny', {}, ['net = timm.create_model("convnext_tiny", num_classes=3)']],
  ['mobilenet_v1', {}, ['net = timm.create_model("mobilenetv1_100", num_classes=3, bn_eps=0.00001)']],
  [
    'resnet50d',
    { stemStride: 1 },
    [
      'net = timm.create_model("resnet50d", num_classes=3)',
      'net.conv1[0].stride = (1, 1)',
      'net.maxpool = torch.nn.Identity()',
    ],
  ],
  [
    'convnext',
    { kwargs: { blocks: [[40, 80, 2] as const, [80, null, 6] as const] } },
    ['net = timm.models.ConvNeXt(depths=[2, 6], dims=[40, 80], num_classes=3)'],
  ],
])('%s %j as timm builds it', (arch, options, lines) => {
  expect(linesOf('timm', arch, options)).toEqual(lines);
});

test('a network that no package builds by name is told in words', () => {
  for (const [publisher, arch, words] of [
    ['lukemelas', 'efficientnet_b0', /EfficientNet-PyTorch as net: efficientnet_b0 .* 3 classes/],
    ['DingXiaoH', 'repvgg_a0', /DingXiaoH\/RepVGG/],
    ['facebookresearch', 'convnext_tiny', /facebookresearch\/ConvNeXt/],
  ] as const) {
    const [line] = linesOf(publisher, arch);
    expect(line).toMatch(/^raise SystemExit\(".*"\)$/);
    expect(line).toMatch(words);
  }
  const own = { ...tinyModel, name: 'my"net' };
  expect(pytorchNetwork(own, 'torchvision').lines[0]).toContain('my\\"net');
});

const network = {
  model: createModel('resnet20_cifar'),
  publisher: 'akamaster',
  prefix: '',
  head: 'linear',
  names: new Map([['conv1.weight', 'conv1.weight']]),
  mean: [0.5, 0.4, 0.3],
  std: [0.2, 0.3, 0.4],
};

test('check.py loads the file that there is, under the names that it has', () => {
  const script = checkScript(network, 'merged.safetensors');
  expect(script).toContain('net = ResNet(3, 10)\nstate = read("merged.safetensors")\nnet.load_state_dict');
  expect(script).toContain('torch.tensor([0.5, 0.4, 0.3]).view(3, 1, 1)');
  expect(checkScript(network, 'merged.pth')).toContain('state = torch.load("merged.pth"');
});

test('a classifier that stood outside a network of another publisher gets its name there', () => {
  const model = createModel('efficientnet_b0');
  const names = new Map([
    ['net.conv_stem.weight', 'features.0.0.weight'],
    ['top.weight', 'classifier.1.weight'],
    ['top.bias', 'classifier.1.bias'],
  ]);
  const timm = { ...network, model, publisher: 'timm', prefix: 'net.', head: 'classifier', names };
  const script = checkScript(timm, 'merged.safetensors');
  expect(script).toContain('new = json.loads("{\\"top\\":\\"classifier\\"}")');
  const own = new Map([['net.classifier.weight', 'classifier.1.weight']]);
  expect(checkScript({ ...timm, names: own }, 'merged.safetensors')).not.toContain('new =');
});

test('names of a file are text, whatever they are', () => {
  const evil = '")\nimport os\n#';
  const names = new Map([
    [`${evil}.conv1.weight`, 'conv1.weight'],
    [`${evil}.${evil}.weight`, 'linear.weight'],
  ]);
  const script = checkScript({ ...network, prefix: `${evil}.`, names }, 'merged.safetensors');
  expect(script.split('\n')).not.toContain('import os');
  expect(script).toContain(`name.removeprefix("\\")\\nimport os\\n#.")`);
  // JSON within a text of Python
  const [, text] = /new = json\.loads\((".*")\)/.exec(script)!;
  expect(JSON.parse(JSON.parse(text))).toEqual({ [evil]: 'linear' });
});

test('check.safetensors: images, what the network sees of them, and its logits', async () => {
  const test = labelled(11);
  const { compute } = fakeNetwork({ logits: (image) => [image, 2 * image, -image] });
  const mean = [0.1, 0.2, 0.3];
  const std = [0.5, 0.25, 2];
  const gpu = fakeGpu(compute);
  const bytes = await checkFile(gpu, { model: tinyModel, state: tinyState() }, test, { mean, std });
  const { tensors } = readSafetensors(bytes, 'check');
  const chosen = [...evaluationOrder(11).subarray(0, 8)];
  const [images, input, logits] = ['images', 'input', 'logits'].map((name) => tensors.get(name)!);
  expect(images).toMatchObject({ dtype: 'U8', shape: [8, 4, 4, 3] });
  expect([...(images.data as Uint8Array)]).toEqual(
    chosen.flatMap((i) => [...test.pixels.subarray(i * 48, (i + 1) * 48)]),
  );
  expect(logits.shape).toEqual([8, 3]);
  expect([...(logits.data as Float32Array)]).toEqual(chosen.flatMap((i) => [i, 2 * i, -i]));
  expect(input.shape).toEqual([8, 3, 4, 4]);
  const seen = input.data as Float32Array;
  // image 5, channel 2, row 1, column 3
  const pixel = test.pixels[chosen[5] * 48 + (4 + 3) * 3 + 2];
  expect(seen[(5 * 3 + 2) * 16 + 4 + 3]).toBeCloseTo((pixel / 255 - 0.3) / 2, 6);
  expect(seen[0]).toBeCloseTo((test.pixels[chosen[0] * 48] / 255 - 0.1) / 0.5, 6);
});

test('a network whose file takes images of another size is checked on that', async () => {
  const test = labelled(11);
  const { compute } = fakeNetwork({ logits: (image) => [image, 2 * image, -image] });
  const options = { mean: [0, 0, 0], std: [1, 1, 1] };
  const network = { model: tinyModel, state: tinyState() };
  const bytes = await checkFile(fakeGpu(compute), network, test, options, [8, 0]);
  const { tensors } = readSafetensors(bytes, 'check');
  const [images, input, logits] = ['images', 'input', 'logits'].map((name) => tensors.get(name)!);
  expect(images.shape).toEqual([8, 8, 4, 3]);
  expect(input.shape).toEqual([8, 3, 8, 4]);
  const chosen = evaluationOrder(11)[5];
  const image = test.pixels.subarray(chosen * 48, (chosen + 1) * 48);
  const wanted = resize(image, { width: 4, height: 4 }, { width: 4, height: 8 });
  expect(images.data.slice(5 * 96, 6 * 96)).toEqual(wanted);
  expect(input.data[5 * 96 + 32 + 9]).toBeCloseTo(wanted[9 * 3 + 1] / 255, 6);
  // the images lie so that the order of the evaluation is theirs
  expect([...(logits.data as Float32Array)].filter((_, i) => i % 3 === 0)).toEqual([...evaluationOrder(8)]);
});
