import { type LayerRedundancy, redundancyOf } from '../analysis/redundancy';
import type { StateDict } from '../io/tensor';
import { convolutions, type Model } from '../model/model';
import { numbersOf } from '../model/state';

/** Redundancy of every spatial convolution of a plain network. */
export const networkRedundancy = (model: Model, state: StateDict): LayerRedundancy[] =>
  convolutions(model)
    .filter(({ shape: [, , kh, kw] }) => Math.max(kh, kw) > 1)
    .map(({ name, shape }) =>
      redundancyOf(name, Float32Array.from(numbersOf(state.get(`${name}.weight`)!)), shape),
    );
