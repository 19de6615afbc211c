import { type LayerRedundancy, redundancyOf } from '../analysis/redundancy';
import type { LabelledImages } from '../data/types';
import type { StateDict } from '../io/tensor';
import { describe } from '../model/describe';
import type { Architecture } from '../model/net';

/** Redundancy of every spatial convolution of a plain network. */
export function networkRedundancy(
  architecture: Architecture,
  { height, width }: Pick<LabelledImages, 'height' | 'width'>,
  state: StateDict,
): LayerRedundancy[] {
  return describe(architecture, [height, width])
    .convs.filter(({ shape }) => Math.max(shape[2], shape[3]) > 1)
    .map(({ name, shape }) =>
      redundancyOf(name, Float32Array.from(state.get(`${name}.weight`)!.data as ArrayLike<number>), shape),
    );
}
