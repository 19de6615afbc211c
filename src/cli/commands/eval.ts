import { UserError } from '../../errors';
import { parseSettings, type SettingName } from '../../train/settings';
import { type Command, text, texts } from '../command';
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

const settings: SettingName[] = ['batch', 'mean', 'std', 'limit', 'imageSize'];

export const evaluate: Command = {
  usage: 'eval [options]',
  summary: 'Accuracy of a network on test images, one JSON line.',
  positionals: [],
  options: {
    ...modelOptions,
    test: {
      type: 'string',
      multiple: true,
      value: 'PATH',
      help: 'test images: a zip, a folder or builtin',
      fallback: 'builtin',
    },
    ...settingOptions(settings),
    ...runtimeOptions,
  },
  async run(args, context) {
    const paths = inputPaths(args);
    const model = await modelFrom(paths);
    if (model.kind === 'file' && texts(args, 'test').length === 0) {
      throw new UserError('--test is missing: name a zip or folder of test images, or builtin.');
    }
    const test = await dataFrom(paths.test ?? ['builtin'], 'test');
    const { batch, mean, std, limit, imageSize } = parseSettings(givenSettings(args, settings), optionLabel);
    const engine = await context.openEngine({ host: text(args, 'runtime') ?? 'auto' });
    try {
      const { accuracy, images, notes, warning } = await engine.api.evaluate(model, test, {
        batch,
        mean,
        std,
        limit,
        imageSize,
      });
      for (const note of notes) context.note(note);
      if (warning) context.note(`warning: ${warning}`);
      context.out(JSON.stringify({ accuracy, images }));
      return 0;
    } finally {
      await engine.close();
    }
  },
};
