/** Python lines that build a network as its publisher's package does: what check.py compares our answers with. */
import type { Model } from '../model/model';
import { nonDefaultArguments } from '../model/recognise/words';
import { architectureNames } from '../model/zoo';

/** How a network is built in Python as `net`. */
export interface PyTorchNetwork {
  /** modules beside torch, as pip and `import` call them */
  modules: string[];
  lines: string[];
  /** what has to be done to `state` before it is loaded */
  prepares?: string[];
}

/** Arguments that have no effect on a network that does not train. */
const TRAINING_ONLY = [
  'dropout',
  'drop_rate',
  'drop_path_rate',
  'stochastic_depth_prob',
  'layer_scale',
  'layer_scale_init_value',
];

/** @param publisher whose names the weights have, see `DIALECTS` */
export function pytorchNetwork(model: Model, publisher: string): PyTorchNetwork {
  const known = architectureNames().includes(model.name);
  const network = known ? BUILDERS[publisher]?.(model) : undefined;
  if (!network) return unknown(model, publisher);
  return model.input.channels === 1 ? { ...network, lines: [...network.lines, ...ONE_CHANNEL] } : network;
}

/** Gives the first convolution one channel. */
const ONE_CHANNEL =
  `name, stem = next((n, m) for n, m in net.named_modules() if isinstance(m, torch.nn.Conv2d))
parent, _, leaf = name.rpartition(".")
sizes = (stem.out_channels, stem.kernel_size, stem.stride, stem.padding)
setattr(net.get_submodule(parent), leaf, torch.nn.Conv2d(1, *sizes, bias=stem.bias is not None))`.split('\n');

const BUILDERS: Record<string, (model: Model) => PyTorchNetwork | undefined> = {
  torchvision,
  timm,
  akamaster,
  chenyaofo,
  kuangliu,
};

/** The arguments that a constructor has to be told, the stem's stride, kernel and channels apart. */
function told({ name, args }: Model): Record<string, unknown> {
  const { stem_stride: _, stem_kernel: __, in_chans: ___, ...changed } = nonDefaultArguments(name, args);
  return Object.fromEntries(Object.entries(changed).filter(([arg]) => !TRAINING_ONLY.includes(arg)));
}

const callOf = (name: string, args: Record<string, unknown>): string =>
  `${name}(${Object.entries(args)
    .map(([arg, value]) => `${arg}=${python(value)}`)
    .join(', ')})`;

/** A value of JSON as Python writes it. */
function python(value: unknown): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (Array.isArray(value)) return `[${value.map(python).join(', ')}]`;
  return JSON.stringify(value);
}

/** The first convolution, and what pools right behind it, by architecture: torchvision's stems. */
const STEMS: [architecture: RegExp, convolution: string, pool?: string][] = [
  [/^(mobilenet|efficientnet)/, 'features[0][0]'],
  [/^mnasnet/, 'layers[0]'],
  [/^resnet\d+d$/, 'conv1[0]', 'maxpool'],
  [/^regnet/, 'stem[0]'],
  [/resnet|resnext/, 'conv1', 'maxpool'],
  [/^shufflenet/, 'conv1[0]', 'maxpool'],
  [/^densenet/, 'features.conv0', 'features.pool0'],
  [/^squeezenet/, 'features[0]', 'features[2]'],
];

function torchvision(model: Model): PyTorchNetwork | undefined {
  const { name, args, head } = model;
  const classes = { num_classes: head.classes };
  const changed = told(model);
  if ('width_scaling' in changed) return undefined;
  const isDenseNet = name.startsWith('densenet') && Object.keys(changed).length > 0;
  const lines: string[] = [];
  if ('stem_type' in changed || 'channels' in changed || 'avg_down' in changed) return timmResNet(model);
  if (name.startsWith('convnext') && ('blocks' in changed || !/_(tiny|small|base)$/.test(name))) {
    lines.push(
      'from torchvision.models.convnext import CNBlockConfig, ConvNeXt',
      `net = ConvNeXt([CNBlockConfig(*stage) for stage in ${python(args.blocks)}], num_classes=${head.classes})`,
    );
  } else if (isDenseNet) {
    const { growth_rate, block_config, num_init_features, bn_size } = args;
    const all = { growth_rate, block_config, num_init_features, bn_size, ...classes };
    lines.push(`net = ${callOf('torchvision.models.DenseNet', all)}`);
  } else if (name === 'resnet' || 'block' in changed || 'layers' in changed) {
    const { block, layers, groups, width_per_group } = args;
    const rest = callOf('', { groups, width_per_group, ...classes }).slice(1);
    lines.push(
      `net = torchvision.models.ResNet(torchvision.models.resnet.${block}, ${python(layers)}, ${rest}`,
    );
  } else if ('avgpool' in changed || 'hidden' in changed) {
    lines.push(...smallVgg(model));
  } else {
    const builder = name === 'densenet' ? 'densenet121' : name;
    lines.push(`net = ${callOf(`torchvision.models.${builder}`, { ...changed, ...classes })}`);
  }
  if (args.stem_kernel === 3) lines.push(SMALL_STEM);
  const stem = STEMS.find(([architecture]) => architecture.test(name));
  if (args.stem_stride === 1 && stem) {
    const [, convolution, pool] = stem;
    lines.push(`net.${convolution}.stride = (1, 1)`);
    if (pool) lines.push(`net.${pool} = torch.nn.Identity()`);
  }
  return { modules: ['torchvision'], lines, prepares: name.startsWith('mnasnet') ? MNASNET_STATE : [] };
}

/** A first convolution of 3 x 3 in the place of a ResNet's own. */
const SMALL_STEM = 'net.conv1 = torch.nn.Conv2d(3, 64, 3, 2, 1, bias=False)';

/** torchvision's VGG with another classifier. */
function smallVgg({ name, args, head }: Model): string[] {
  const { avgpool, hidden } = args as { avgpool: number; hidden: number };
  return [
    `net = torchvision.models.${name}(num_classes=${head.classes})`,
    `net.avgpool = torch.nn.AdaptiveAvgPool2d(${avgpool})`,
    `net.classifier[0] = torch.nn.Linear(${512 * avgpool ** 2}, ${hidden})`,
    `net.classifier[3] = torch.nn.Linear(${hidden}, ${hidden})`,
    `net.classifier[6] = torch.nn.Linear(${hidden}, ${head.classes})`,
  ];
}

/** MNASNet loads no state without a version; 2 is what its constructor makes today. */
const MNASNET_STATE = [
  'import collections',
  'state = collections.OrderedDict(state)',
  'state._metadata = {"": {"version": 2}}',
];

/** timm has models of some widths, under names of their own. */
const TIMM_NAMES: Record<string, (width: string) => string> = {
  mobilenet_v2: (width) => `mobilenetv2_${width}`,
  mobilenet_v3_small: (width) => `mobilenetv3_small_${width}`,
  mobilenet_v3_large: (width) => `mobilenetv3_large_${width}`,
  mobilenet_v1: (width) => `mobilenetv1_${width}`,
  mnasnet0_5: () => 'mnasnet_050',
  mnasnet0_75: () => 'mnasnet_075',
  mnasnet1_0: () => 'mnasnet_100',
};
/** Networks that timm has under the same name. */
const SAME_NAME = /^(efficientnet_(b\d|lite0)|convnext_\w+|resnet\d+d)$/;
/** The same, of constructors that take no eps of their batch norms. */
const WITHOUT_EPS = /^(convnextv2_\w+|fasternet_\w+|ghostnet_\d+|mobileone_s\d|repvgg_[ab]\d|resnet\d+d)$/;

function timm(model: Model): PyTorchNetwork | undefined {
  const { width_mult: width = 1, width_scaling: _, ...rest } = told(model);
  if (model.name === 'convnext' || 'blocks' in rest) return timmConvNext(model);
  if (/^resne/.test(model.name) && Object.keys(rest).length > 0) return timmResNet(model);
  const hasEps = !WITHOUT_EPS.test(model.name);
  const nameOf = SAME_NAME.test(model.name) || !hasEps ? () => model.name : TIMM_NAMES[model.name];
  if (!nameOf || Object.keys(rest).length > 0) return undefined;
  const name = nameOf(String(Math.round((width as number) * 100)).padStart(3, '0'));
  const norm = model.layers.find((layer) => layer.kind === 'batch_norm');
  const isResNet = model.name.startsWith('resnet');
  const args = { num_classes: model.head.classes, ...(norm && hasEps && { bn_eps: norm.eps }) };
  const lines = [`net = ${callOf('timm.create_model', args).replace('(', `(${python(name)}, `)}`];
  if (model.args.stem_stride === 1) {
    if (/^(mobileone|repvgg)/.test(model.name)) return undefined;
    lines.push(`net.${isResNet ? 'conv1[0]' : 'conv_stem'}.stride = (1, 1)`);
    if (isResNet) lines.push('net.maxpool = torch.nn.Identity()');
  }
  return { modules: ['timm'], lines };
}

/** timm's ConvNeXts by their depths and widths; the small ones keep linear layers as 1 x 1 convolutions. */
function timmConvNext({ args, head }: Model): PyTorchNetwork {
  const blocks = args.blocks as readonly (readonly [number, number | null, number])[];
  const [depths, dims] = [blocks.map(([, , depth]) => depth), blocks.map(([width]) => width)];
  return {
    modules: ['timm'],
    lines: [`net = ${callOf('timm.models.ConvNeXt', { depths, dims, num_classes: head.classes })}`],
    prepares: ['state = {name: t.reshape(net.state_dict()[name].shape) for name, t in state.items()}'],
  };
}

/** timm's class of all ResNets. */
function timmResNet({ args, head }: Model): PyTorchNetwork {
  const { block, layers, groups, width_per_group, channels, stem_type, stem_width, avg_down } = args;
  const sizes = {
    cardinality: groups,
    base_width: width_per_group,
    channels,
    stem_type,
    stem_width,
    avg_down,
  };
  const rest = callOf('', { ...sizes, num_classes: head.classes }).slice(1);
  const lines = [`net = timm.models.ResNet(timm.models.resnet.${block}, ${python(layers)}, ${rest}`];
  if (args.stem_kernel === 3 && stem_type !== 'deep') lines.push(SMALL_STEM);
  if (args.stem_stride === 1)
    lines.push(
      `net.conv1${stem_type === 'deep' ? '[0]' : ''}.stride = (1, 1)`,
      'net.maxpool = torch.nn.Identity()',
    );
  return { modules: ['timm'], lines };
}

function akamaster({ args, head }: Model): PyTorchNetwork {
  const blocks = ((args.depth as number) - 2) / 6;
  return {
    modules: [],
    lines: [...cifarResNet(args.option as Option), `net = ResNet(${blocks}, ${head.classes})`],
  };
}

/** The network of akamaster whose shortcuts are convolutions, under other names. */
function chenyaofo(model: Model): PyTorchNetwork {
  return { ...akamaster(model), prepares: renames(['.downsample.', '.shortcut.'], ['fc.', 'linear.']) };
}

/** torchvision's ResNets with another stem, under other names. */
function kuangliu(model: Model): PyTorchNetwork | undefined {
  const network = torchvision(model);
  return network && { ...network, prepares: renames(['.shortcut.', '.downsample.'], ['linear.', 'fc.']) };
}

const renames = (...pairs: [from: string, to: string][]): string[] => [
  `state = {name${pairs.map(([from, to]) => `.replace(${python(from)}, ${python(to)})`).join('')}: t for name, t in state.items()}`,
];

type Option = 'A' | 'B';

/** How a block of ResNets for CIFAR defines its shortcut, and what that makes of `x`. */
const SHORTCUTS: Record<Option, { defined: string; made: string }> = {
  A: {
    defined: 'self.stride, self.pad = stride, (o - i) // 2',
    made: 'torch.nn.functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.pad, self.pad))',
  },
  B: {
    defined:
      'self.shortcut = torch.nn.Sequential(*([torch.nn.Conv2d(i, o, 1, stride, bias=False), torch.nn.BatchNorm2d(o)] if i != o else []))',
    made: 'self.shortcut(x)',
  },
};

/** ResNet for CIFAR-10 (He et al. 2015, section 4.2). */
const cifarResNet = (option: Option): string[] =>
  `class Block(torch.nn.Module):
    def __init__(self, i, o, stride):
        super().__init__()
        self.conv1, self.bn1 = torch.nn.Conv2d(i, o, 3, stride, 1, bias=False), torch.nn.BatchNorm2d(o)
        self.conv2, self.bn2 = torch.nn.Conv2d(o, o, 3, 1, 1, bias=False), torch.nn.BatchNorm2d(o)
        ${SHORTCUTS[option].defined}

    def forward(self, x):
        y = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        return (y + ${SHORTCUTS[option].made}).relu()


class ResNet(torch.nn.Module):
    def __init__(self, blocks, classes):
        super().__init__()
        self.conv1, self.bn1 = torch.nn.Conv2d(3, 16, 3, 1, 1, bias=False), torch.nn.BatchNorm2d(16)
        for s, (i, o) in enumerate([(16, 16), (16, 32), (32, 64)]):
            stage = [Block(o if b else i, o, 1 if b or i == o else 2) for b in range(blocks)]
            setattr(self, f"layer{s + 1}", torch.nn.Sequential(*stage))
        self.linear = torch.nn.Linear(64, classes)

    def forward(self, x):
        x = self.bn1(self.conv1(x)).relu()
        return self.linear(self.layer3(self.layer2(self.layer1(x))).mean((2, 3)))

`.split('\n');

const WORDS: Record<string, string> = {
  lukemelas: 'the EfficientNet of lukemelas/EfficientNet-PyTorch',
  DingXiaoH: 'the RepVGG of DingXiaoH/RepVGG (repvgg.py)',
  facebookresearch: 'the ConvNeXt of facebookresearch/ConvNeXt (models/convnext.py)',
  timm: "timm's network",
};

/** A network that no package builds by a name. */
function unknown({ name, args, head }: Model, publisher: string): PyTorchNetwork {
  const what = WORDS[publisher] ?? 'the network';
  const sentence = `Put a line here that builds ${what} as net: ${name} with ${JSON.stringify(args)} and ${head.classes} classes.`;
  return { modules: [], lines: [`raise SystemExit(${JSON.stringify(sentence)})`, 'net = None'] };
}
