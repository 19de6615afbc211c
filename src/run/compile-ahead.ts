import type { Gpu } from '../gpu/device';
import { compileKernels } from '../runtime/session';
import { planned, type Training } from '../train/training-session';

/**
 * Has the kernels of a training's programs compiled while the device does something else: a compiler takes one core, and shaders
 * that a CPU draws leave it one. The first call of what this gives begins, others do nothing; what fails, fails again where the
 * training waits for it.
 */
export function compileAhead(gpu: Gpu, training: Training): () => void {
  let hasBegun = false;
  const compile = async () => {
    // behind what the device was about to be given
    await new Promise((resolve) => setTimeout(resolve));
    await compileKernels(gpu, (await planned(gpu, training)).plans);
  };
  return () => {
    if (hasBegun) return;
    hasBegun = true;
    compile().catch(() => {});
  };
}
