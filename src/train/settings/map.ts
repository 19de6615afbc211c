/** The refocusing maps. */
import { choice, flag, numberChoice, wordOrNames } from '../field';
import { MAPS, setting } from './setting';

export const map = {
  /** `auto` is depthwise where the network has any, else spatial */
  layers: setting(wordOrNames(['auto', 'depthwise', 'spatial'], 'names of convolutions'), 'auto', {
    group: 'map',
    label: 'Refocused layers',
    help: 'convolutions that get a map (auto: depthwise if any, else spatial)',
    onlyFor: MAPS,
  }),
  /** never above the kernel that the map refocuses */
  mapKernel: setting(numberChoice([1], [3], [5]), 3, {
    group: 'map',
    label: 'Map kernel',
    help: 'kernel size of the map',
    onlyFor: MAPS,
  }),
  mapInit: setting(choice(['zeros'], ['kaiming']), 'zeros', {
    group: 'map',
    label: 'Map start',
    help: 'start of the map',
    onlyFor: MAPS,
  }),
  /** the first term of equation 1 */
  identity: setting(flag, true, {
    group: 'map',
    label: 'Identity term',
    help: 'the identity term of RefConv; off only as an ablation',
    onlyFor: MAPS,
  }),
  path: setting(choice(['auto'], ['dense'], ['factored']), 'auto', {
    group: 'map',
    label: 'Map form',
    help: 'how the map is kept (auto: factored if exact)',
    onlyFor: MAPS,
  }),
  unmerged: setting(flag, false, {
    group: 'map',
    label: 'Unmerged weights too',
    help: 'also write bases and maps before they are merged (<conv>.weight, <conv>.convmap.weight), to train on from',
    onlyFor: MAPS,
  }),
};
