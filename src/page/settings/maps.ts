/** Which convolutions get a map, by the form as it stands. */
import { computed } from '@preact/signals';
import { UserError } from '../../errors';
import { BUILTIN_NETWORK } from '../../model/builtin';
import { describe } from '../../model/describe';
import { isRefConv } from '../../model/refconv';
import { architecture } from '../../model/zoo';
import { refconvOptions } from '../../train/refconv-options';
import { applies, parseSettings, settingFields, settingNames } from '../../train/settings';
import { config, contradiction, fieldsAreFine, readNetwork, setSetting } from './config';

/** State dicts do not depend on the image size, nor on how many classes there are but for the classifier. */
const SIZE = [224, 224] as const;
const CLASSES = 10;

/** Whether the method has maps at all. */
export const hasMaps = computed(() => applies('layers', config.value.settings));

/** The settings that decide; the others may be half typed. */
const deciding = settingNames.filter(
  (name) => settingFields[name].group === 'map' || ['method', 'optimizer'].includes(name),
);

export const maps = computed<{ names: readonly string[]; error?: string }>(() => {
  const { source, settings } = config.value;
  try {
    const { arch, ...options } = source === 'builtin' ? BUILTIN_NETWORK : readNetwork();
    const network = architecture(arch, { ...options, classes: CLASSES });
    const decided = parseSettings(Object.fromEntries(deciding.map((name) => [name, settings[name]])));
    const refconv = refconvOptions(network, arch, SIZE, decided);
    const { convs } = describe(network, SIZE);
    return { names: convs.filter((conv) => isRefConv(conv, refconv)).map(({ name }) => name) };
  } catch (error) {
    if (error instanceof UserError) return { names: [], error: error.message };
    throw error;
  }
});

/** Gives a convolution a map, or takes it away: from then on the layers are named one by one. */
export function toggleMap(name: string): void {
  const { names } = maps.value;
  const chosen = names.includes(name) ? names.filter((other) => other !== name) : [...names, name];
  setSetting('layers', chosen.join(','));
}

/** What makes a start impossible although each field is fine by itself; undefined where a field shows its own sentence. */
export const obstacle = computed(
  () => contradiction.value ?? (fieldsAreFine.value ? maps.value.error : undefined),
);
