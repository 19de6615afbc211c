/** What recognition has to say, in sentences. */
import { createModel } from '../zoo';
import type { Mismatch, Shape } from './match';
import type { Candidate } from './recognise';

const TITLES: [RegExp, string][] = [
  [/^resnet(\d+)_cifar$/, 'ResNet-$1 for CIFAR'],
  [/^resnet_cifar$/, 'ResNet for CIFAR'],
  [/^resnet(\d+)(d?)$/, 'ResNet-$1$2'],
  [/^resnet$/, 'ResNet'],
  [/^wide_resnet(\d+)_(\d)$/, 'Wide ResNet-$1-$2'],
  [/^resnext(\d+)_(\w+)$/, 'ResNeXt-$1 $2'],
  [/^mobilenet_v(\d)$/, 'MobileNetV$1'],
  [/^mobilenet_v3_small$/, 'MobileNetV3-Small'],
  [/^mobilenet_v3_large$/, 'MobileNetV3-Large'],
  [/^shufflenet_v2_x(\d)_(\d)$/, 'ShuffleNetV2 x$1.$2'],
  [/^densenet(\d+)$/, 'DenseNet-$1'],
  [/^densenet$/, 'DenseNet'],
  [/^convnext_atto$/, 'ConvNeXt-Atto'],
  [/^convnext_femto$/, 'ConvNeXt-Femto'],
  [/^convnext_pico$/, 'ConvNeXt-Pico'],
  [/^convnext_nano$/, 'ConvNeXt-Nano'],
  [/^convnext_tiny$/, 'ConvNeXt-Tiny'],
  [/^convnext_small$/, 'ConvNeXt-Small'],
  [/^convnext_base$/, 'ConvNeXt-Base'],
  [/^convnext$/, 'ConvNeXt'],
  [/^mnasnet(\d)_(\d+)$/, 'MNASNet $1.$2'],
  [/^efficientnet_v2_s$/, 'EfficientNetV2-S'],
  [/^regnet_(x|y)_(\d+)mf$/, 'RegNet-$1 $2MF'],
  [/^regnet_(x|y)_1_6gf$/, 'RegNet-$1 1.6GF'],
  [/^efficientnet_b(\d)$/, 'EfficientNet-B$1'],
  [/^squeezenet(\d)_(\d)$/, 'SqueezeNet $1.$2'],
  [/^convnextv2$/, 'ConvNeXtV2'],
  [/^convnextv2_atto$/, 'ConvNeXtV2-Atto'],
  [/^convnextv2_femto$/, 'ConvNeXtV2-Femto'],
  [/^convnextv2_pico$/, 'ConvNeXtV2-Pico'],
  [/^convnextv2_nano$/, 'ConvNeXtV2-Nano'],
  [/^convnextv2_tiny$/, 'ConvNeXtV2-Tiny'],
  [/^efficientnet_lite(\d)$/, 'EfficientNet-Lite$1'],
  [/^vgg(\d+)$/, 'VGG-$1'],
  [/^vgg(\d+)_bn$/, 'VGG-$1 with batch norm'],
  [/^mobileone_s(\d)$/, 'MobileOne-S$1'],
  [/^ghostnet_(\d)(\d\d)$/, 'GhostNet x$1.$2'],
  [/^fasternet_t(\d)$/, 'FasterNet-T$1'],
  [/^fasternet_s$/, 'FasterNet-S'],
  [/^fasternet_m$/, 'FasterNet-M'],
  [/^hornet_tiny_7x7$/, 'HorNet-T 7x7'],
  [/^hornet_small_7x7$/, 'HorNet-S 7x7'],
  [/^replknet31b$/, 'RepLKNet-31B'],
  [/^replknet_tiny$/, 'RepLKNet-Tiny'],
  [/^slak_tiny$/, 'SLaK-T'],
  [/^slak_atto$/, 'SLaK-Atto'],
  [/^resnet8_mlperf$/, 'ResNet-8 of MLPerf Tiny'],
  [/^ds_cnn$/, 'DS-CNN of MLPerf Tiny'],
  [/^repvgg_a(\d)$/, 'RepVGG-A$1'],
  [/^repvgg_b(\d)$/, 'RepVGG-B$1'],
];

/** An architecture as papers write it. */
export function titleOf(arch: string): string {
  const title = TITLES.find(([pattern]) => pattern.test(arch));
  return title ? arch.replace(...title) : arch;
}

/** The arguments that are not the architecture's default. */
export function nonDefaultArguments(arch: string, args: Record<string, unknown>): Record<string, unknown> {
  const published = createModel(arch).args;
  const differs = ([name, value]: [string, unknown]) =>
    JSON.stringify(value) !== JSON.stringify(published[name]);
  return Object.fromEntries(Object.entries(args).filter(differs));
}

/** "MobileNetV2 x0.35 of torchvision, 1,000 classes". */
export function describeCandidate({ arch, args, match }: Candidate): string {
  const { classes, dialect } = match;
  const { width_mult: width = 1, ...rest } = nonDefaultArguments(arch, args);
  const factor = width === 1 ? '' : ` x${width}`;
  // the publisher's way to scale widths goes without saying
  const said = Object.entries(rest).filter(([, value]) => value !== dialect.publisher);
  const others = said.length > 0 ? ` ${JSON.stringify(Object.fromEntries(said))}` : '';
  const head =
    classes === undefined
      ? 'without a classifier'
      : `${classes.toLocaleString('en')} ${classes === 1 ? 'class' : 'classes'}`;
  return `${titleOf(arch)}${factor}${others} of ${dialect.publisher}, ${head}`;
}

/** How many differences a sentence names. */
const MOST = 3;

/** Where a file and the network nearest to it differ: the first names and shapes of each kind. */
export function describeDifferences({ match }: Candidate, shapes: ReadonlyMap<string, Shape>): string {
  const named = (items: { name: string; shape: Shape }[]) =>
    few(items, ({ name, shape }) => `${name} (${show(shape)})`);
  const differs = ({ name, file, network }: Mismatch) => `${name} (${show(file)}, there ${show(network)})`;
  const unused = match.unused.map((name) => ({ name: name.slice(0, 100), shape: shapes.get(name)! }));
  const parts = [
    match.mismatched.length > 0 ? `other shapes: ${few(match.mismatched, differs)}` : '',
    match.missing.length > 0 ? `not in the file: ${named(match.missing)}` : '',
    unused.length > 0 ? `only in the file: ${named(unused)}` : '',
  ];
  return parts.filter((part) => part !== '').join('; ');
}

const show = (shape: Shape): string => shape.join(' x ') || 'a single number';

function few<T>(items: readonly T[], text: (item: T) => string): string {
  const more = items.length > MOST ? ` and ${items.length - MOST} more` : '';
  return items.slice(0, MOST).map(text).join(', ') + more;
}
