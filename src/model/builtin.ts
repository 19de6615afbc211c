import type { BundledFile } from '../io/bundled';
import type { ArchitectureOptions } from './zoo/define';

/**
 * The built-in network: a short and narrow MobileNetV2 for 32 x 32 images, trained by this engine on the built-in images
 * (docs/builtin.md). It is small so that a run on it takes a minute or two without a GPU.
 */
export const BUILTIN_NETWORK: ArchitectureOptions & { arch: string } = {
  arch: 'mobilenet_v2',
  width: 0.5,
  stemStride: 1,
  classes: 10,
  kwargs: {
    inverted_residual_setting: [
      [1, 16, 1, 2],
      [6, 24, 2, 1],
      [6, 32, 2, 2],
      [6, 64, 1, 2],
    ],
  },
};

export const BUILTIN_FILE = 'builtin-mobilenet_v2.safetensors';

/** Its weights. */
export const BUILTIN_WEIGHTS: BundledFile = {
  inNode: `refocus/${BUILTIN_FILE}`,
  url: () => import('../../weights/builtin-mobilenet_v2.safetensors?url&no-inline'),
};
