import type { Builder, Value } from '../builder';
import { type Definition, define, dropRate, stemStride } from './define';

/** Squeezed and expanded channels of each fire module (half of the expanded by each kernel), or a max pooling. */
type Module = [squeeze: number, expand: number] | 'pool';

const FIRES: [squeeze: number, expand: number][] = [
  [16, 128],
  [16, 128],
  [32, 256],
  [32, 256],
  [48, 384],
  [48, 384],
  [64, 512],
  [64, 512],
];

/** The fire modules with a pooling before those of the given places. */
const pooledBefore = (...places: number[]): Module[] =>
  FIRES.flatMap((fire, i): Module[] => (places.includes(i) ? ['pool', fire] : [fire]));

const squeezenet = (name: string, stem: number, kernel: number, modules: Module[]): Definition =>
  define(name, { dropout: dropRate(0.5), stem_stride: stemStride }, (net, x, { dropout, stem_stride }) => {
    let y = net.conv('features.0', x, stem, kernel, { stride: stem_stride, padding: 0, bias: true });
    y = net.activation(y, 'relu');
    modules.forEach((module, i) => {
      if (module !== 'pool') y = fire(net, `features.${i + 2}`, y, ...module);
      else if (i > 0 || stem_stride === 2) y = net.maxPool(y, 3, { stride: 2, ceilMode: true });
    });
    y = net.head('classifier.1', net.dropout(y, dropout), 'conv');
    return net.globalAvgPool(net.activation(y, 'relu'));
  });

/**
 * SqueezeNet (Iandola et al. 2016), torchvision's names. With `stem_stride` 1 the first max pooling falls away too.
 */
export const squeezenets = [
  squeezenet('squeezenet1_0', 96, 7, pooledBefore(0, 3, 7)),
  squeezenet('squeezenet1_1', 64, 3, pooledBefore(0, 2, 4)),
];

function fire(net: Builder, name: string, x: Value, squeeze: number, expand: number): Value {
  const layer = (part: string, from: Value, out: number, kernel: number) =>
    net.activation(net.conv(`${name}.${part}`, from, out, kernel, { bias: true }), 'relu');
  const s = layer('squeeze', x, squeeze, 1);
  return net.concat([layer('expand1x1', s, expand / 2, 1), layer('expand3x3', s, expand / 2, 3)]);
}
