import { around, type Dialect, inside, places } from './dialect';

const INVERTED = places(
  'conv_pw',
  'bn1',
  'conv_dw',
  'bn2',
  'se.conv_reduce',
  'se.conv_expand',
  'conv_pwl',
  'bn3',
);
const SEPARABLE = places('conv_dw', 'bn1', 'se.conv_reduce', 'se.conv_expand', 'conv_pw', 'bn2');
const PLAIN = places('conv', 'bn1');
const TIMM_STEM = places('conv_stem', 'bn1');
const TIMM_HEAD = places('conv_head', 'bn2', 'classifier');

/** timm's MobileNets, MNASNet and EfficientNet. */
const timmEfficient: Dialect = {
  publisher: 'timm',
  architectures: /^(mobilenet_v[23]|mnasnet|efficientnet_b)/,
  // torch.nn.BatchNorm2d's defaults; those of its tf_ models are others, and so is their padding
  norms: { eps: 1e-5, momentum: 0.1 },
  head: 'classifier',
  sign: /^conv_stem$/,
  place(module, has) {
    const block = /^blocks\.(\d+)\.(\d+)\.(.+)$/.exec(module);
    if (!block) return around(module, TIMM_STEM, TIMM_HEAD);
    const [, stage, index, name] = block;
    const prefix = `blocks.${stage}.${index}`;
    const inner = has(`${prefix}.conv_pwl`) ? INVERTED : has(`${prefix}.conv_dw`) ? SEPARABLE : PLAIN;
    return inside([Number(stage), Number(index)], inner.get(name));
  },
};

const MBCONV = places(
  '_expand_conv',
  '_bn0',
  '_depthwise_conv',
  '_bn1',
  '_se_reduce',
  '_se_expand',
  '_project_conv',
  '_bn2',
);
const LUKEMELAS_STEM = places('_conv_stem', '_bn0');
const LUKEMELAS_HEAD = places('_conv_head', '_bn1', '_fc');

const lukemelas: Dialect = {
  publisher: 'lukemelas',
  architectures: /^efficientnet_b/,
  refusal:
    "lukemelas' EfficientNet pads as TensorFlow's \"same\" does, which is not supported: use torchvision's or timm's weights",
  head: '_fc',
  sign: /^_conv_stem$/,
  place(module) {
    const block = /^_blocks\.(\d+)\.(.+)$/.exec(module);
    if (!block) return around(module, LUKEMELAS_STEM, LUKEMELAS_HEAD);
    return inside([Number(block[1])], MBCONV.get(block[2]));
  },
};

/** The zoo's names of ConvNeXt's modules, whatever its depth: stages and downsamplings take turns behind the stem. */
const convNext = {
  block: (stage: string, place: string, name: string): string =>
    `features.${2 * Number(stage) + 1}.${place}.${CONVNEXT_BLOCK.get(name) ?? name}`,
  downsample: (stage: string, place: string): string => `features.${2 * Number(stage)}.${place}`,
};
const CONVNEXT_BLOCK: ReadonlyMap<string, string> = new Map([
  ['gamma', 'layer_scale'],
  ['conv_dw', 'block.0'],
  ['dwconv', 'block.0'],
  ['norm', 'block.2'],
  ['mlp.fc1', 'block.3'],
  ['pwconv1', 'block.3'],
  ['mlp.fc2', 'block.5'],
  ['pwconv2', 'block.5'],
]);
const CONVNEXT_REST: ReadonlyMap<string, string> = new Map([
  ['stem.0', 'features.0.0'],
  ['stem.1', 'features.0.1'],
  ['head.norm', 'classifier.0'],
  ['head.fc', 'classifier.2'],
  ['norm', 'classifier.0'],
  ['head', 'classifier.2'],
]);

const timmConvNext: Dialect = {
  publisher: 'timm',
  architectures: /^convnext(?!v2)/,
  head: 'head.fc',
  sign: /^stages\.0\.blocks\.0\.conv_dw$/,
  rename(module) {
    const downsample = /^stages\.(\d+)\.downsample\.(\d+)$/.exec(module);
    if (downsample) return convNext.downsample(downsample[1], downsample[2]);
    const block = /^stages\.(\d+)\.blocks\.(\d+)\.(.+)$/.exec(module);
    if (block) return convNext.block(block[1], block[2], block[3]);
    return CONVNEXT_REST.get(module) ?? module;
  },
};

const facebook: Dialect = {
  publisher: 'facebookresearch',
  architectures: /^convnext(?!v2)/,
  head: 'head',
  sign: /^stages\.0\.0\.dwconv$/,
  rename(module) {
    const downsample = /^downsample_layers\.(\d+)\.(\d+)$/.exec(module);
    if (downsample) return convNext.downsample(downsample[1], downsample[2]);
    const block = /^stages\.(\d+)\.(\d+)\.(.+)$/.exec(module);
    if (block) return convNext.block(block[1], block[2], block[3]);
    return CONVNEXT_REST.get(module) ?? module;
  },
};

const CONVNEXT_V2: ReadonlyMap<string, string> = new Map([
  ['dwconv', 'conv_dw'],
  ['pwconv1', 'mlp.fc1'],
  ['grn.gamma', 'mlp.grn.weight'],
  ['grn.beta', 'mlp.grn.bias'],
  ['pwconv2', 'mlp.fc2'],
]);

const facebookV2: Dialect = {
  publisher: 'facebookresearch',
  architectures: /^convnextv2/,
  head: 'head',
  sign: /^stages\.0\.0\.grn\.gamma$/,
  rename(module) {
    const downsample = /^downsample_layers\.(\d+)\.(\d+)$/.exec(module);
    if (downsample?.[1] === '0') return `stem.${downsample[2]}`;
    if (downsample) return `stages.${downsample[1]}.downsample.${downsample[2]}`;
    const block = /^stages\.(\d+)\.(\d+)\.(.+)$/.exec(module);
    if (block) return `stages.${block[1]}.blocks.${block[2]}.${CONVNEXT_V2.get(block[3]) ?? block[3]}`;
    return module.replace(/^norm$/, 'head.norm').replace(/^head$/, 'head.fc');
  },
};

/** FasterNet's authors count stages and what lies between them as one list. */
const jierunChen: Dialect = {
  publisher: 'JierunChen',
  architectures: /^fasternet/,
  head: 'head',
  sign: /^avgpool_pre_head\.1$/,
  rename: (module) =>
    module
      .replace(/^avgpool_pre_head\.1$/, 'conv_head')
      .replace(/^head$/, 'classifier')
      .replace(
        /^stages\.(\d+)\.(reduction|norm)$/,
        (_, n, part) => `stages.${(Number(n) + 1) / 2}.downsample.${part}`,
      )
      .replace(/^stages\.(\d+)\.blocks/, (_, n) => `stages.${Number(n) / 2}.blocks`),
};

/** timm's names of a block's branches, and its stages, which begin at zero behind the stem. */
const timmBranches = (architectures: RegExp, branches: readonly [RegExp, string][]): Dialect => ({
  publisher: 'timm',
  architectures,
  head: 'head.fc',
  sign: /^stem\.(conv_kxk|reparam_conv)/,
  rename: (module) =>
    branches.reduce(
      (name, [from, to]) => name.replace(from, to),
      module
        .replace(/^stem\./, 'stage0.')
        .replace(/^stages\.(\d+)\./, (_, n) => `stage${Number(n) + 1}.`)
        .replace(/^head\.fc$/, 'linear'),
    ),
});

const timmMobileOne = timmBranches(/^mobileone/, [
  [/\.conv_kxk\./, '.rbr_conv.'],
  [/\.conv_scale\./, '.rbr_scale.'],
  [/\.identity$/, '.rbr_skip'],
  [/\.attn\.fc1$/, '.se.reduce'],
  [/\.attn\.fc2$/, '.se.expand'],
]);

const timmRepVgg = timmBranches(/^repvgg/, [
  [/\.conv_kxk\./, '.rbr_dense.'],
  [/\.conv_1x1\./, '.rbr_1x1.'],
  [/\.identity$/, '.rbr_identity'],
  [/\.reparam_conv$/, '.rbr_reparam'],
]);

/** SLaK's first release called the two halves of a kernel otherwise. */
const slak2022: Dialect = {
  publisher: 'VITA-Group',
  architectures: /^slak/,
  sign: /\.large_kernel\.LoRA1\.conv$/,
  rename: (module) => module.replace('.LoRA', '.Decom'),
};

/** torchvision's published DenseNets still have the names of 2017: `norm.1` for `norm1`. */
const densenet2017: Dialect = {
  publisher: 'torchvision',
  architectures: /^densenet/,
  sign: /^features\.denseblock1\.denselayer1\.norm\.1$/,
  rename: (module) => module.replace(/\.(norm|conv)\.(\d+)$/, '.$1$2'),
};

/** The training images' of CIFAR-10, as most code for CIFAR has them: the deviations are means of an image's own. */
const CIFAR = { mean: [0.4914, 0.4822, 0.4465], std: [0.2023, 0.1994, 0.201] };

/** ResNets for CIFAR whose shortcuts are convolutions, under torchvision's names of all that its ResNets have too. */
const chenyaofo: Dialect = {
  publisher: 'chenyaofo',
  architectures: /^resnet.*_cifar$/,
  head: 'fc',
  sign: /^layer2\.0\.downsample\.0$/,
  normalisation: CIFAR,
  rename: (module) => module.replace('.downsample.', '.shortcut.').replace(/^fc$/, 'linear'),
};

/** torchvision's ResNets with a stem for CIFAR, under akamaster's names of shortcut and classifier. */
const kuangliu: Dialect = {
  publisher: 'kuangliu',
  architectures: /^resnet(\d+)?$/,
  head: 'linear',
  sign: /^layer2\.0\.shortcut\.0$/,
  normalisation: CIFAR,
  rename: (module) => module.replace('.shortcut.', '.downsample.').replace(/^linear$/, 'fc'),
};

/** Names that are the zoo's own. */
const own = (publisher: string, architectures: RegExp): Dialect => ({ publisher, architectures, sign: /./ });

const OWN: readonly Dialect[] = [
  { ...own('akamaster', /_cifar$/), without: /^layer2\.0\.downsample\.0$/ },
  own('timm', /^(resnet\d+d$|mobilenet_v1$|convnextv2|ghostnet|fasternet)/),
  { ...own('timm', /^efficientnet_lite/), without: /\.se\.conv_reduce$/ },
  own('DingXiaoH', /^rep(vgg|lknet)/),
  own('apple', /^mobileone/),
  own('raoyongming', /^hornet/),
  own('VITA-Group', /^slak/),
  own('Refocus', /^(resnet8_mlperf|ds_cnn|dw_unet|dw_detector)$/),
  own(
    'torchvision',
    /^(vgg|mobilenet_v[23]|shufflenet|densenet|convnext(?!v2)|(wide_)?resne(x?)t(?!\d+d$|8_|.*_cifar$)|mnasnet|efficientnet_(b|v2)|regnet|squeezenet)/,
  ),
];

/** Who publishes an architecture under the zoo's own names. */
export const zooPublisher = (arch: string): string =>
  OWN.find(({ architectures }) => architectures.test(arch))!.publisher;

/** Whose names an architecture's weights are read under, the zoo's own first. */
export const publishersOf = (arch: string): string[] => {
  const read = DIALECTS.filter(({ architectures, refusal }) => !refusal && architectures.test(arch));
  return [...new Set([zooPublisher(arch), ...read.map(({ publisher }) => publisher)])];
};

/** Every dialect; those with names of their own first. */
export const DIALECTS: readonly Dialect[] = [
  timmEfficient,
  lukemelas,
  timmConvNext,
  facebook,
  facebookV2,
  jierunChen,
  timmMobileOne,
  timmRepVgg,
  slak2022,
  densenet2017,
  chenyaofo,
  kuangliu,
  ...OWN,
];
