import { writeFile } from 'node:fs/promises';
import type { PartReport } from '../../data/report';
import type { ImageSurvey } from '../../data/survey';
import { UserError } from '../../errors';
import { surveyRun } from '../../run/survey';
import { parseField, whole } from '../../train/field';
import { parseSettings, type SettingName, settingFields, settingNames } from '../../train/settings';
import { type Command, text } from '../command';
import {
  dataFrom,
  givenSettings,
  modelFrom,
  modelOptions,
  networkFrom,
  optionLabel,
  runtimeOptions,
  settingOptions,
} from '../options';
import { contactSheet, pngOf } from '../png';
import { table } from '../table';

/** All that has a say in what images a network sees. */
const settings: SettingName[] = [
  'seed',
  ...settingNames.filter((name) => /^(images|augmentation)$/.test(settingFields[name].group)),
];

export const data: Command = {
  usage: 'data [options] PATH...',
  summary: 'What a set of images holds, and with --preview a training batch as a network sees it.',
  positionals: ['PATH...'],
  options: {
    preview: {
      type: 'string',
      value: 'FILE',
      help: 'write a batch as the network sees it there, a .png; needs a GPU',
    },
    count: { type: 'string', value: 'N', help: 'images of the preview', fallback: '16' },
    epoch: { type: 'string', value: 'N', help: 'whose random numbers the preview draws', fallback: '0' },
    ...modelOptions,
    ...settingOptions(settings),
    ...runtimeOptions,
  },
  async run(args, context) {
    const count = parseField(whole(1, 256), text(args, 'count') ?? '16', '--count');
    const epoch = parseField(whole(0, 100_000), text(args, 'epoch') ?? '0', '--epoch');
    const chosen = parseSettings(givenSettings(args, settings), optionLabel);
    const train = await dataFrom(args.positionals, 'train', context, '');
    if (train.kind === 'files') {
      const { train: found } = await surveyRun({ train }, chosen);
      context.out(summary(found));
      for (const { part, images } of found.unused)
        context.note(
          `images of part ${part}: ${images}, not used in training, which is tested on part val; eval takes them`,
        );
      for (const note of found.notes) context.note(note);
      for (const { path, reason } of found.skipped.slice(0, MAX_NAMED))
        context.note(`skipped ${path}: ${reason}`);
      if (found.skipped.length > MAX_NAMED) context.note(`and ${found.skipped.length - MAX_NAMED} more`);
      for (const line of doubtful(found)) context.note(line);
    }
    const file = text(args, 'preview');
    if (file === undefined) return 0;
    if (!file.endsWith('.png'))
      throw new UserError(`--preview ${file} is no name of a picture: end it in .png.`);
    const [weights, labels, network] = [text(args, 'weights'), text(args, 'labels'), networkFrom(args)];
    const model = weights || network ? await modelFrom({ network, weights, labels }, context, 0) : undefined;
    const engine = await context.openEngine({ host: text(args, 'runtime') ?? 'auto' });
    try {
      const shown = await engine.api.previewBatch({ train, settings: chosen, model, count, epoch });
      const sheet = contactSheet(shown.pixels, { ...shown, count: shown.labels.length });
      await writeFile(file, pngOf(sheet.pixels, sheet.width, sheet.height));
      context.note(shown.augmentation);
      context.note(
        `${file}: ${shown.labels.length} images of ${shown.width}x${shown.height}, by rows: ${shown.labels.join(', ')}`,
      );
      return 0;
    } finally {
      await engine.close();
    }
  },
};

/** So many skipped files are named. */
const MAX_NAMED = 20;

/** Images that want a look. */
function doubtful({ equal, rotated }: ImageSurvey): string[] {
  const named = equal.slice(0, MAX_NAMED).map(({ images, classes }) => {
    const where = classes.length > 1 ? ` (classes ${classes.join(', ')}: one at most is right)` : '';
    return `the same file: ${images.slice(0, 5).join(', ')}${images.length > 5 ? ' and more' : ''}${where}`;
  });
  const more =
    equal.length > MAX_NAMED ? [`and ${equal.length - MAX_NAMED} more that are there several times`] : [];
  const turned =
    rotated.length > 0 ? [`EXIF rotation: ${rotated[0]}, ${rotated.length} in all (--exif)`] : [];
  return [...named, ...more, ...turned];
}

/** Images of each class in each part. */
function summary({ classes, parts }: ImageSurvey): string {
  const origin = ({ use, from }: PartReport) =>
    from === 'held' ? ' (held out)' : from && from !== use ? ` (part ${from})` : '';
  const head = ['class', ...parts.map((part) => part.use + origin(part))];
  const rows = classes.map((name, c) => [name, ...parts.map(({ perClass }) => String(perClass[c]))]);
  const sums = ['all', ...parts.map(({ images }) => String(images))];
  return table([head, ...rows, sums]);
}
