/** What a run leaves. */
import { choice, real } from '../field';
import { setting } from './setting';

export const results = {
  format: setting(choice(['safetensors'], ['pth', 'PyTorch (.pth)'], ['both']), 'safetensors', {
    group: 'results',
    label: 'Format of the weights',
    help: 'files of the merged weights: safetensors, pth (as torch.save writes it) or both',
  }),
  /** the last of a run is kept in any case, unless there are none */
  checkpointMinutes: setting(real({ min: 0, max: 1440 }, 1), 2, {
    group: 'results',
    label: 'Checkpoints',
    unit: 'minutes',
    help: 'minutes between checkpoints within an epoch, which a run can go on from; each epoch ends with one too; 0: none at all',
  }),
};
