/** What a run begins with, done while the user reads: its first step comes soon, and how good the network is now is known before it. */
import { computed, effect, signal } from '@preact/signals';
import type { WarmedUp } from '../../api';
import { adapter, engine, explain } from '../engine';
import { rememberStep } from '../forecast/forecast';
import { gpuTaken, withGpu } from '../gpu-use';
import { chosen, readData, readModel } from '../input/sources';
import { config, readSettings } from '../settings/config';

/** A form that is being filled in is left alone for so long; that of a page that opens is as it stands. */
const PAUSE_MS = 300;

type Tried = { form: string; files: typeof chosen.value } & Pick<WarmedUp, 'base'> & { why?: string };

const tried = signal<Tried | undefined>(undefined);

const form = computed(() =>
  JSON.stringify([config.value.source, config.value.images, config.value.settings]),
);

/** What was found of the network and images of the form, as it is now; undefined where nothing was tried. */
export const tryOut = computed(() => {
  const last = tried.value;
  return last?.form === form.value && last.files === chosen.value ? last : undefined;
});

/** Follows the form as long as it asks for the built-in network; one's own files are read when they are asked for. */
export function followWarmUp(): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let warm = '';
  effect(() => {
    clearTimeout(timer);
    const isFree = adapter.value.state === 'ready' && !gpuTaken.value;
    const asked = form.value;
    if (!isFree || config.value.source !== 'builtin' || asked === warm) return;
    timer = setTimeout(
      () => {
        warm = asked;
        // what is wrong with the form the form says, and what is wrong with the engine the run will
        warmUp().catch(() => {});
      },
      warm ? PAUSE_MS : 0,
    );
  });
}

/** Tests the network of the form and takes a step on its images, of which nothing is kept. */
export const tryFirst = (): Promise<void> =>
  withGpu('trial', async () => {
    const [asked, files] = [form.value, chosen.value];
    try {
      await warmUp();
    } catch (error) {
      tried.value = { form: asked, files, why: explain(error) };
    }
  });

async function warmUp(): Promise<void> {
  const [asked, files] = [form.value, chosen.value];
  const job = { model: readModel(), ...readData(), settings: readSettings() };
  const { step, base } = await engine().warmUp(job);
  rememberStep(step);
  tried.value = { form: asked, files, base };
}
