import type { Gpu } from '../gpu/device';
import { pipelinesOf } from '../gpu/pipelines';
import { shaders } from '../gpu/wgsl/shaders';
import { mostHeld } from '../train/held';
import { readyForLimit } from '../train/programs';
import { buildPrograms } from '../train/run-programs';
import type { Training } from '../train/training-session';

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
    await readyForLimit(training.settings);
    const { plans } = buildPrograms({ ...training, tuning: gpu.tuning, heldBytes: mostHeld(gpu) });
    const dispatches = Object.values(plans).flatMap((plan) => plan?.dispatches ?? []);
    await shaders.load(dispatches.map(({ shader }) => shader));
    const pipelines = pipelinesOf(gpu);
    await Promise.all(dispatches.map((d) => pipelines.get(d.shader, d.constants, d.halves)));
  };
  return () => {
    if (hasBegun) return;
    hasBegun = true;
    compile().catch(() => {});
  };
}
