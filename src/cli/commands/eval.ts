import { writeFile } from 'node:fs/promises';
import type { ImageSetReport } from '../../api';
import { skippedCsv } from '../../data/report';
import { UserError } from '../../errors';
import { predictionsCsv } from '../../run/predictions-csv';
import { parseSettings, type SettingName } from '../../train/settings';
import { classLines } from '../class-lines';
import { type Command, type Context, text, texts } from '../command';
import {
  dataFrom,
  givenSettings,
  inputPaths,
  modelFrom,
  modelOptions,
  optionLabel,
  runtimeOptions,
  settingOptions,
} from '../options';

const settings: SettingName[] = [
  'batch',
  'mean',
  'std',
  'limit',
  'imageSize',
  'interpolation',
  'cropPct',
  'cropMode',
  'classOrder',
  'rename',
  'exif',
];

export const evaluate: Command = {
  usage: 'eval [options]',
  summary: 'Tests a network: its accuracy and means over the classes as one JSON line, each class on stderr.',
  positionals: [],
  options: {
    ...modelOptions,
    test: {
      type: 'string',
      multiple: true,
      value: 'PATH',
      help: 'test images: an archive, a folder (its part test or val, if it has parts), builtin or builtin-camera',
      fallback: 'builtin',
    },
    ...settingOptions(settings),
    report: {
      type: 'string',
      value: 'FILE',
      help: 'write all figures there, as JSON: of each class, confusion matrix, wrong images',
    },
    predictions: {
      type: 'string',
      value: 'FILE',
      help: 'write what the network says of each image there, as CSV',
    },
    skipped: { type: 'string', value: 'FILE', help: 'write the list of skipped files there, as CSV' },
    ...runtimeOptions,
  },
  async run(args, context) {
    const paths = inputPaths(args);
    const model = await modelFrom(paths, context);
    if (model.kind === 'file' && texts(args, 'test').length === 0) {
      throw new UserError('--test is missing: name a zip or folder of test images, or builtin.');
    }
    const test = await dataFrom(paths.test ?? ['builtin'], 'test', context);
    const { batch, mean, std, ...chosen } = parseSettings(givenSettings(args, settings), optionLabel);
    const given = <T>(value: T | 'auto'): T | undefined => (value === 'auto' ? undefined : value);
    const engine = await context.openEngine({ host: text(args, 'runtime') ?? 'auto' });
    try {
      const options = { ...chosen, batch: given(batch), mean: given(mean), std: given(std) };
      const evaluation = await engine.api.evaluate(model, test, options, ({ message }) =>
        context.progress(message),
      );
      context.progress('');
      const { accuracy, loss, images, figures, predictions, notes, report } = evaluation;
      for (const note of notes) context.note(note);
      if (report) await tell(report, text(args, 'skipped'), context);
      for (const line of classLines(figures)) context.note(line);
      const [file, list] = [text(args, 'report'), text(args, 'predictions')];
      if (file) await writeFile(file, `${JSON.stringify({ accuracy, loss, images, ...figures }, null, 2)}\n`);
      if (list) await writeFile(list, predictionsCsv(predictions));
      const { top5, macro } = figures;
      context.out(JSON.stringify({ accuracy, loss, images, top5, macro }));
      return 0;
    } finally {
      await engine.close();
    }
  },
};

/** So many skipped files are named one by one. */
const MAX_NAMED = 20;

/** What was found in the images' source; every skipped file, or as many as fit a screen. */
async function tell(
  { notes, warnings, skipped }: ImageSetReport,
  csv: string | undefined,
  { note }: Context,
): Promise<void> {
  for (const line of notes) note(line);
  for (const line of warnings) note(`warning: ${line}`);
  if (skipped.length > 1)
    for (const { path, reason } of skipped.slice(0, MAX_NAMED)) note(`skipped ${path}: ${reason}`);
  if (skipped.length > MAX_NAMED && !csv)
    note(`and ${skipped.length - MAX_NAMED} more; --skipped FILE writes them all`);
  if (csv) await writeFile(csv, skippedCsv(skipped));
}
