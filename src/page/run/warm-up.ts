/** Makes the first step of the next run come soon: does what it begins with while the user reads. */
import { effect } from '@preact/signals';
import { adapter, engine } from '../engine';
import { rememberStep } from '../forecast/forecast';
import { gpuUse } from '../gpu-use';
import { readData, readModel } from '../input/sources';
import { config, readSettings } from '../settings/config';

/** A form that is being filled in is left alone for so long. */
const PAUSE_MS = 300;

/** Follows the form as long as it asks for the built-in network; one's own files are read when the run starts. */
export function followWarmUp(): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let warm = '';
  effect(() => {
    clearTimeout(timer);
    const isFree = adapter.value.state === 'ready' && !gpuUse.value;
    if (!isFree || config.value.source !== 'builtin') return;
    const form = JSON.stringify([config.value.images, config.value.settings]);
    if (form === warm) return;
    timer = setTimeout(() => {
      warm = form;
      // what is wrong with the form the form says, and what is wrong with the engine the run will
      warmUp().catch(() => {});
    }, PAUSE_MS);
  });
}

async function warmUp(): Promise<void> {
  rememberStep(await engine().warmUp({ model: readModel(), ...readData(), settings: readSettings() }));
}
