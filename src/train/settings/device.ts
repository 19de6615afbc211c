/** How the device is used. */
import { choice, flag } from '../field';
import { setting } from './setting';

export const device = {
  /** the bits of a run depend on the way to cut the step */
  autotune: setting(flag, false, {
    group: 'device',
    label: 'Tune for this device',
    help: 'time a few ways to cut the step on this device, take the fastest and remember it',
  }),
  /** of activations of the forward pass; sums, weights and gradients are f32 always */
  storage: setting(choice(['f32'], ['f16']), 'f32', {
    group: 'device',
    label: 'Activations kept as',
    help: 'how activations are kept; f16 takes a third less memory and needs a GPU with shader-f16',
  }),
};
