import { dirname, join } from 'node:path';
import type { UserFile } from '../../api';
import { UserError } from '../../errors';
import { isAddress } from '../../remote/address';
import { parseField, whole } from '../../train/field';
import { parseSettings, type SettingName } from '../../train/settings';
import { type Command, text } from '../command';
import { kindOf, readUserFiles } from '../files';
import {
  givenSettings,
  modelFrom,
  modelOptions,
  networkFrom,
  optionLabel,
  runtimeOptions,
  settingOptions,
} from '../options';
import type { Teller } from '../remote';

const settings: SettingName[] = [
  'batch',
  'mean',
  'std',
  'imageSize',
  'interpolation',
  'cropPct',
  'cropMode',
  'exif',
];

export const predict: Command = {
  usage: 'predict [options] IMAGE...',
  summary: 'The likeliest classes of images or of all images in a folder, a JSON line each.',
  positionals: ['IMAGE...'],
  options: {
    ...modelOptions,
    top: { type: 'string', value: 'N', help: 'likeliest classes of each image', fallback: '5' },
    ...settingOptions(settings),
    ...runtimeOptions,
  },
  async run(args, context) {
    const top = parseField(whole(1, 100_000), text(args, 'top') ?? '5', '--top');
    const chosen = parseSettings(givenSettings(args, settings), optionLabel);
    const model = await modelFrom(
      { network: networkFrom(args), weights: text(args, 'weights'), labels: text(args, 'labels') },
      context,
    );
    const images = await imagesOf(args.positionals, context);
    const given = <T>(value: T | 'auto'): T | undefined => (value === 'auto' ? undefined : value);
    const engine = await context.openEngine({ host: text(args, 'runtime') ?? 'auto' });
    try {
      const options = {
        top,
        batch: given(chosen.batch),
        mean: given(chosen.mean),
        std: given(chosen.std),
        imageSize: chosen.imageSize,
        interpolation: given(chosen.interpolation),
        cropPct: given(chosen.cropPct),
        cropMode: given(chosen.cropMode),
        exif: chosen.exif,
      };
      const { predictions, notes } = await engine.api.predict(model, images, options, ({ message }) =>
        context.progress(message),
      );
      context.progress('');
      for (const note of notes) context.note(note);
      let skipped = 0;
      for (const prediction of predictions) {
        if ('top' in prediction) context.out(JSON.stringify(prediction));
        else {
          skipped++;
          context.note(`skipped ${prediction.image}: ${prediction.error}`);
        }
      }
      return skipped === 0 ? 0 : 1;
    } finally {
      await engine.close();
    }
  },
};

/** The images of files and folders, called as they were named. */
async function imagesOf(paths: readonly string[], teller: Teller): Promise<UserFile[]> {
  const images: UserFile[] = [];
  for (const path of paths) {
    if (isAddress(path)) {
      images.push(...(await readUserFiles([path], undefined, teller)));
      continue;
    }
    const isFile = (await kindOf(path)) === 'file';
    for (const file of await readUserFiles([path])) {
      if (file.path.endsWith('/') || isHidden(file.path)) continue;
      images.push({ ...file, path: isFile ? path : join(dirname(path), file.path) });
    }
  }
  if (images.length === 0) throw new UserError(`${paths.join(', ')} holds no file; name images.`);
  return images;
}

/** What systems leave in folders. */
const isHidden = (path: string): boolean => /\/\.[^/]*$/.test(path);
