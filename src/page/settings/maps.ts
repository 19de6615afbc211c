/** Which convolutions get a map, by the form as it stands. */
import { computed } from '@preact/signals';
import { UserError } from '../../errors';
import { branchedLayers } from '../../model/branch-forms';
import { BUILTIN_NETWORK } from '../../model/builtin';
import { preconditionedLayers } from '../../model/precondition';
import { refconvs } from '../../model/refconv';
import { createModel } from '../../model/zoo';
import { applies, parseSettings, settingFields, settingNames } from '../../train/settings';
import { trainedModel } from '../../train/trained-model';
import { preview } from '../input/sources';
import { config, contradiction, fieldsAreFine, setSetting } from './config';

/** Whether the method has maps at all. */
export const hasMaps = computed(() => applies('layers', config.value.settings));

/** The settings that decide; the others may be half typed. */
const deciding = settingNames.filter(
  (name) => settingFields[name].group === 'map' || ['method', 'optimizer', 'freeze'].includes(name),
);

export const maps = computed<{ names: readonly string[]; error?: string }>(() => {
  const { source, settings } = config.value;
  try {
    const plain = source === 'builtin' ? createModel(BUILTIN_NETWORK.arch, BUILTIN_NETWORK) : ownModel();
    if (!plain) return { names: [] };
    const decided = parseSettings(Object.fromEntries(deciding.map((name) => [name, settings[name]])));
    const model = trainedModel(plain, decided);
    return {
      names: [...refconvs(model), ...preconditionedLayers(model), ...branchedLayers(model)].map(
        ({ name }) => name,
      ),
    };
  } catch (error) {
    if (error instanceof UserError) return { names: [], error: error.message };
    throw error;
  }
});

/** The network of the user's weights, once they are read. */
const ownModel = () => (preview.value.state === 'ready' ? preview.value.model : undefined);

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
