/** The refocusing maps. */
import { choice, flag, numberChoice, whole, wordOrNames } from '../field';
import { LAYERS, MAPS, SHIFTS, setting } from './setting';

export const map = {
  /** `auto` is depthwise where the network has any, else spatial */
  layers: setting(wordOrNames(['auto', 'depthwise', 'spatial'], 'names of convolutions'), 'auto', {
    group: 'map',
    label: 'Refocused layers',
    help: 'convolutions that get a map, a preconditioner or branches (auto: depthwise if any, else spatial)',
    onlyFor: LAYERS,
  }),
  /** never above the kernel that the map refocuses */
  mapKernel: setting(numberChoice([1], [3], [5]), 3, {
    group: 'map',
    label: 'Map kernel',
    help: 'kernel size of the map, or of the one that a preconditioner stands for',
    onlyFor: SHIFTS,
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
  /** docs/method.md says what each is the control of */
  preconditioner: setting(
    choice(
      ['gram', 'the Gram matrix of all kernels', 'Repeats refocusing under SGD.'],
      ['random', 'a random one of its spectrum'],
      ['diagonal', 'its diagonal', 'A step size a tap.'],
      ['own', "each kernel's own Gram matrix", 'No kernel has a say in the step of another.'],
      ['identity', 'its mean eigenvalue', 'A step size a map group.'],
      ['layer', "the layer's mean eigenvalue", 'A step size a layer.'],
    ),
    'gram',
    {
      group: 'map',
      label: 'Preconditioner',
      help: 'matrix that gradients of kernels are multiplied by; all but gram are controls of the same trace',
      onlyFor: { method: ['precondition'] },
    },
  ),
  branches: setting(
    choice(
      ['acnet', 'ACNet', 'A row and a column.'],
      ['repvgg', 'RepVGG', 'A 1 x 1 kernel and the identity.'],
      ['dbb', 'Diverse branches', 'A 1 x 1 kernel, an average, and a stack of two kernels.'],
      ['orepa', 'OREPA', 'The same as linear stacks, without norms of their own.'],
    ),
    'acnet',
    {
      group: 'map',
      label: 'Branches',
      help: 'what stands beside a kernel while it trains: acnet, repvgg, dbb (diverse branch block), or orepa (linear stacks)',
      onlyFor: { method: ['branches'] },
    },
  ),
  /** RefConv's authors train a second time from what the first has merged */
  rounds: setting(whole(1, 1000), 1, {
    group: 'map',
    label: 'Rounds',
    help: 'times that a run refocuses, each with its share of the epochs: a round ends with a merge, and the next begins with fresh maps on the merged kernels',
    onlyFor: { method: ['refocus'] },
  }),
  unmerged: setting(flag, false, {
    group: 'map',
    label: 'Unmerged weights too',
    help: 'also write bases and maps before they are merged (<conv>.weight, <conv>.convmap.weight), to train on from',
    onlyFor: MAPS,
  }),
};
