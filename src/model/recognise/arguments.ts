/** What the shapes of a state dict tell of the arguments that its network was made with, torchvision's names. */
import type { Shape } from './match';

/** Shapes under the zoo's names, as far as a dialect could rename them. */
type Shapes = ReadonlyMap<string, Shape>;
type Arguments = Record<string, unknown>;

/** Published widths, then every hundredth; networks of near widths may be the same, and the first that fits is taken. */
const WIDTHS = [
  1,
  0.75,
  0.5,
  0.35,
  1.4,
  1.3,
  0.25,
  0.1,
  2,
  ...Array.from({ length: 400 }, (_, i) => (i + 1) / 100),
];

/** Widths at which a convolution has the file's channels; `published` is its channels at width 1. */
function widths(shapes: Shapes, conv: string, published: number): Arguments[] {
  const found = shapes.get(`${conv}.weight`)?.[0];
  // channels are rounded to eights, and never below eight
  const near = (width: number) => found === undefined || Math.abs(published * width - found) <= 8;
  return WIDTHS.filter(near).map((width_mult) => ({ width_mult }));
}

const STEM = 'features.0.0';

function mobilenetV3(shapes: Shapes, small: boolean): Arguments[] {
  const usual = widths(shapes, STEM, 16);
  // timm's stem keeps its channels in narrow networks; the last convolution does not
  const timm = small ? widths(shapes, 'features.12.0', 576) : widths(shapes, 'features.16.0', 960);
  return [
    ...usual,
    ...usual.map((a) => ({ ...a, reduced_tail: true })),
    ...timm.map((a) => ({ ...a, width_scaling: 'timm' })),
  ];
}

/**
 * How many of the names of an architecture's default network a file must have before other arguments are tried: those of
 * a class, which takes the blocks of its stages, and of a network of two forms give it other modules.
 */
export function leastKnown(arch: string, file: number, network: number): number {
  if (/^(repvgg|mobileone|replknet|slak)/.test(arch)) return 1;
  return /^(densenet|convnext|convnextv2|resnet|resnet_cifar)$/.test(arch) ? 0.3 * file : 0.9 * network;
}

/** Arguments to try for an architecture, the usual ones first. What shapes do not tell (a stride, a rate) is not there. */
export function candidateArguments(arch: string, shapes: Shapes): Arguments[] {
  if (arch === 'mobilenet_v1') return widths(shapes, 'conv_stem', 32);
  if (arch === 'mobilenet_v2') return widths(shapes, STEM, 32);
  if (arch.startsWith('mobilenet_v3')) return mobilenetV3(shapes, arch.endsWith('small'));
  if (arch === 'densenet') return [densenet(shapes)];
  if (arch === 'convnext') return [convnext(shapes)];
  if (arch === 'resnet') return [{ ...resnet(shapes), ...smallStem(shapes) }];
  if (/^(wide_)?resnex?t\d+(d|_2|_32x\dd)?$/.test(arch)) return [smallStem(shapes)];
  if (arch.endsWith('_cifar')) return [cifarResnet(arch, shapes)];
  if (arch.startsWith('vgg')) return [vggClassifier(shapes)];
  if (arch === 'convnextv2') return [convnextV2(shapes)];
  if (arch.startsWith('slak')) return [slak(shapes)];
  if (arch.startsWith('repvgg')) return [shapes.has('stage0.rbr_reparam.weight') ? { deploy: true } : {}];
  if (arch.startsWith('mobileone'))
    return [shapes.has('stage0.reparam_conv.weight') ? { inference_mode: true } : {}];
  if (arch.startsWith('replknet')) {
    const merged = shapes.has('stages.0.blocks.0.large_kernel.lkb_reparam.weight');
    return [merged ? { small_kernel_merged: true } : {}];
  }
  return [{}];
}

/** Blocks of each stage of a ResNet, which is called `layer1` and so on. */
function blocksOf(shapes: Shapes): number[] {
  const blocks: number[] = [];
  for (const name of shapes.keys()) {
    const match = /^layer([1-8])\.(\d+)\.conv1\.weight$/.exec(name);
    if (match)
      blocks[Number(match[1]) - 1] = Math.max(blocks[Number(match[1]) - 1] ?? 0, Number(match[2]) + 1);
  }
  return Array.from(blocks, (n) => n ?? 0);
}

/** A stem of 3 x 3 is that of networks for small images, which have neither its stride nor a pooling behind it. */
const smallStem = (shapes: Shapes): Arguments =>
  shapes.get('conv1.weight')?.[3] === 3 ? { stem_kernel: 3, stem_stride: 1 } : {};

function cifarResnet(arch: string, shapes: Shapes): Arguments {
  return {
    ...(arch === 'resnet_cifar' && { depth: 6 * (blocksOf(shapes)[0] ?? 3) + 2 }),
    ...(shapes.has('layer2.0.shortcut.0.weight') && { option: 'B' }),
  };
}

/** The hidden layers' channels, and the pixels of the last stage's 512 channels that the first of them takes. */
function vggClassifier(shapes: Shapes): Arguments {
  const [hidden = 4096, taken = 512 * 49] = shapes.get('classifier.0.weight') ?? [];
  const avgpool = Math.sqrt(taken / 512);
  return { ...(avgpool !== 7 && { avgpool }), ...(hidden !== 4096 && { hidden }) };
}

/** The published widths of the stages at four blocks' ends; the width within the first block is the groups' times theirs. */
function resnet(shapes: Shapes): Arguments {
  const layers = blocksOf(shapes);
  const bottleneck = shapes.has('layer1.0.conv3.weight');
  const last = layers.map(
    (_, stage) => shapes.get(`layer${stage + 1}.0.conv${bottleneck ? 3 : 2}.weight`)?.[0],
  );
  const channels = last.map((n) => (n ?? 0) / (bottleneck ? 4 : 1));
  const told = { layers, ...(channels.join() !== '64,128,256,512' && { channels }) };
  if (!bottleneck) return told;
  const [width = 0, perGroup = 0] = shapes.get('layer1.0.conv2.weight') ?? [];
  const groups = width / perGroup;
  return { block: 'Bottleneck', ...told, groups, width_per_group: (perGroup * 64) / channels[0] };
}

function densenet(shapes: Shapes): Arguments {
  const layers: number[] = [];
  for (const name of shapes.keys()) {
    const match = /^features\.denseblock(\d+)\.denselayer(\d+)\./.exec(name);
    if (match) layers[Number(match[1]) - 1] = Math.max(layers[Number(match[1]) - 1] ?? 0, Number(match[2]));
  }
  const first = 'features.denseblock1.denselayer1';
  const growth_rate = shapes.get(`${first}.conv2.weight`)?.[0];
  const bottleneck = shapes.get(`${first}.conv1.weight`)?.[0];
  const num_init_features = shapes.get('features.conv0.weight')?.[0];
  if (!growth_rate || !bottleneck || !num_init_features || layers.length > 8) return {};
  return {
    growth_rate,
    num_init_features,
    bn_size: bottleneck / growth_rate,
    block_config: Array.from(layers, (n) => n ?? 0),
  };
}

/** Blocks of each of four stages, by a module that every block has: its name has the stage's number, then the block's. */
function depthsOf(shapes: Shapes, block: RegExp): number[] {
  const depths = [0, 0, 0, 0];
  for (const name of shapes.keys()) {
    const [, stage, index] = block.exec(name) ?? [];
    if (stage !== undefined) depths[Number(stage)] = Math.max(depths[Number(stage)], Number(index) + 1);
  }
  return depths;
}

function convnextV2(shapes: Shapes): Arguments {
  const depths = depthsOf(shapes, /^stages\.([0-3])\.blocks\.(\d+)\.conv_dw\.weight$/);
  const dims = depths.map((_, stage) => shapes.get(`stages.${stage}.blocks.0.conv_dw.weight`)?.[0] ?? 1);
  return { depths, dims };
}

/** Other widths than those of ConvNeXt-Tiny, and whether the kernels are split or merged. */
function slak(shapes: Shapes): Arguments {
  const first = (stage: number, part: string) => shapes.get(`stages.${stage}.0.large_kernel.${part}.weight`);
  const merged = first(0, 'lkb_reparam') !== undefined;
  const splits = first(0, 'Decom1.conv') !== undefined;
  const depths = depthsOf(shapes, /^stages\.([0-3])\.(\d+)\.gamma$/);
  const dims = depths.map((_, stage) => shapes.get(`stages.${stage}.0.gamma`)?.[0] ?? 1);
  return {
    depths,
    dims,
    ...(merged && { small_kernel_merged: true }),
    ...(!merged && !splits && { Decom: false }),
  };
}

/** Stages `[channels, channels of the next or null, blocks]`; stages and downsamplings take turns after the stem. */
function convnext(shapes: Shapes): Arguments {
  const counts: number[] = [];
  const channels: number[] = [];
  for (const [name, shape] of shapes) {
    const match = /^features\.(\d+)\.(\d+)\.block\.0\.weight$/.exec(name);
    if (!match) continue;
    const stage = (Number(match[1]) - 1) / 2;
    if (!Number.isInteger(stage) || stage < 0 || stage > 7) return {};
    counts[stage] = Math.max(counts[stage] ?? 0, Number(match[2]) + 1);
    channels[stage] = shape[0];
  }
  if (counts.length === 0) return {};
  const blocks = Array.from(counts, (count, i) => [channels[i] ?? 1, channels[i + 1] ?? null, count ?? 0]);
  return { blocks };
}
