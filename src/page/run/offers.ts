/** What a run that ended badly can be mended by, as a button. */
import type { Report, TrainJob, UserFile } from '../../api';
import { type Remedy, UserError } from '../../errors';
import { lowerRate } from '../../train/divergence';
import { fieldText } from '../../train/field';
import { parseSettings, type SettingName, settingFields } from '../../train/settings';
import { setSettings } from '../settings/config';
import type { Offer } from './state';

type Run = (job: TrainJob) => void;

/** Another start, with the settings that an error names. */
export function offerOf(error: unknown, job: TrainJob | undefined, run: Run): Offer | undefined {
  if (!(error instanceof UserError) || !error.remedy || !job) return undefined;
  const { remedy } = error;
  return {
    label: `Start again with ${wordsOf(remedy)}`,
    take() {
      // the form shows what is trained, and a later start has it too
      setSettings(remedy);
      run({ ...job, settings: parseSettings({ ...job.settings, ...remedy }) });
    },
  };
}

/** Settings that mend something, by the form's names. */
export const wordsOf = (remedy: Remedy): string =>
  Object.entries(remedy)
    .map(([name, value]) => `${settingFields[name as SettingName].label.toLowerCase()} ${fieldText(value)}`)
    .join(', ');

/** After a run that diverged: from its last good state, at a lower rate. */
export function offerAfter(
  { ended, settings, steps }: Pick<Report, 'ended' | 'settings' | 'steps'>,
  checkpoint: UserFile | undefined,
  job: TrainJob,
  run: Run,
): Offer | undefined {
  if (ended !== 'diverged' || !checkpoint) return undefined;
  const rate = lowerRate(settings.lr);
  return {
    label: `Go on from step ${steps} at learning rate ${rate}`,
    take: () => run({ ...job, resume: { checkpoints: [checkpoint], rate } }),
  };
}
