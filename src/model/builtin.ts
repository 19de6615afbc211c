import type { BundledFile } from '../io/bundled';
import { buildModel, IMAGENET } from './builder';
import type { Model } from './model';
import type { ArchitectureOptions } from './zoo/define';
import { type MobileNetV2Arguments, mobilenetV2Layers } from './zoo/mobilenet-v2-layers';

const ARGUMENTS: MobileNetV2Arguments = {
  width_mult: 0.5,
  inverted_residual_setting: [
    [1, 16, 1, 2],
    [6, 24, 2, 1],
    [6, 32, 2, 2],
    [6, 64, 1, 2],
  ],
  dropout: 0.2,
  stem_stride: 1,
};

/**
 * The built-in network: a short and narrow MobileNetV2 for 32 x 32 images, trained by this engine on the built-in images
 * (docs/builtin.md). It is small so that a run on it takes a minute or two without a GPU.
 */
export const BUILTIN_NETWORK: ArchitectureOptions & { arch: string } = {
  arch: 'mobilenet_v2',
  width: ARGUMENTS.width_mult,
  stemStride: ARGUMENTS.stem_stride,
  classes: 10,
  kwargs: { inverted_residual_setting: ARGUMENTS.inverted_residual_setting },
};

/** Its model, without the list of architectures. */
export const builtinModel = (): Model =>
  buildModel(
    {
      name: 'mobilenet_v2',
      args: { ...structuredClone(ARGUMENTS), in_chans: 3 },
      classes: 10,
      input: { ...IMAGENET, size: 32 },
    },
    (net, x) => mobilenetV2Layers(net, x, ARGUMENTS),
  );

export const BUILTIN_FILE = 'builtin-mobilenet_v2.safetensors';

/** Its weights. */
export const BUILTIN_WEIGHTS: BundledFile = {
  inNode: `refocus/${BUILTIN_FILE}`,
  url: () => import('../../weights/builtin-mobilenet_v2.safetensors?url&no-inline'),
};
