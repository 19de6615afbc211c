/** Which layers train, and how fast. */
import { choice, flag, orAuto, real, whole, wordOrNames } from '../field';
import { setting } from './setting';

export const layers = {
  head: setting(choice(['auto'], ['keep'], ['new']), 'auto', {
    group: 'layers',
    label: 'Classifier',
    help: "keep the network's classifier or start a new one (auto: keep it where it knows the images' classes)",
  }),
  headLr: setting(real({ above: 0, max: 1000 }, 0.1), 1, {
    group: 'layers',
    label: "Head's rate",
    help: "factor on the learning rate of the network's last layer, which tells the classes apart",
  }),
  headEpochs: setting(orAuto(whole(0, 100_000)), 'auto', {
    group: 'layers',
    label: 'Epochs of the head alone',
    help: 'first epochs that train only the last layer, at the full rate; auto: one of them where that layer is new',
  }),
  /** of a normalisation the running statistics are frozen with its weight and bias */
  freeze: setting(
    wordOrNames(['none', 'backbone', 'norms', 'all-but-maps'], 'names of tensors or modules (* for any)'),
    'none',
    {
      group: 'layers',
      label: 'Freeze',
      help: 'what does not train: all but the head (backbone), batch and layer norms, all but the maps, or what names say, as features.0,*.bias',
    },
  ),
  norms: setting(flag, false, {
    group: 'layers',
    label: 'Fresh batch norms',
    help: 'of a network whose batch norms were folded into its convolutions: train it with fresh ones, which start from the statistics of its first training images and are folded back at the end',
  }),
};
