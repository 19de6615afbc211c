/** How the device is used. */
import { choice, flag, megabytes } from '../field';
import { setting } from './setting';

export const device = {
  /** the bits of a run depend on the way to cut the step */
  autotune: setting(flag, false, {
    group: 'device',
    label: 'Tune for this device',
    help: 'time a few ways to cut the step on this device, take the fastest and remember it',
  }),
  /** the same numbers come out, later: parts of the forward pass are computed again in the backward pass */
  memory: setting(megabytes(1_000_000), 0, {
    group: 'device',
    label: 'Memory limit',
    unit: 'MB',
    help: 'GPU memory of a training step, its images apart, that is kept by computing parts of it twice, then by smaller micro-batches; 0: no limit',
  }),
  /** of activations of the forward pass; sums, weights and gradients are f32 always */
  storage: setting(choice(['f32'], ['f16']), 'f32', {
    group: 'device',
    label: 'Activations kept as',
    help: 'how activations are kept; f16 takes a third less memory and needs a GPU with shader-f16',
  }),
};
