import { UserError } from '../../errors';
import { addedSentence, memoryText, repeatedSentence } from '../../run/forecast-words';
import { namedNetwork } from '../../run/network-options';
import { loadNetwork } from '../../run/network-source';
import { modelOf, type PlanOptions, planSummary, stepForecast } from '../../run/plan-summary';
import { readyForLimit } from '../../train/programs';
import { parseSetting } from '../../train/settings';
import { loadTask } from '../../train/task';
import { type Args, type Command, type Context, text } from '../command';
import { readWeightFiles } from '../files';
import { networkFrom, networkOptions, optionLabel, settingOptions } from '../options';

/** A zoo's network of ten classes on CIFAR's images. */
const DEFAULT_SIZE = 32;

export const plan: Command = {
  usage: 'plan (--arch A | --weights FILE)',
  summary: 'Prints the plan of a training step and its totals; needs no GPU.',
  positionals: [],
  options: {
    weights: {
      type: 'string',
      value: 'FILE',
      help: 'weights or an .onnx model, whose network is planned with its classes',
    },
    ...networkOptions,
    ...settingOptions(['batch', 'method', 'storage', 'norms', 'memory']),
    size: {
      type: 'string',
      value: 'N',
      help: 'side of the input in pixels',
      fallback: `${DEFAULT_SIZE}, of weights that of the images they were trained on`,
    },
    json: { type: 'boolean', help: 'only the totals, one JSON line' },
  },
  async run(args, context) {
    const setting = <K extends 'batch' | 'method' | 'storage' | 'norms' | 'memory'>(
      name: K,
      fallback: string,
    ) => parseSetting(name, args.values[name] ?? fallback, `--${name}`);
    const given = text(args, 'size');
    const asked = given === undefined ? undefined : parseSetting('imageSize', given, '--size');
    if (asked === 0) throw new UserError('--size must be a whole number from 1 to 1024, not "0".');
    const chosen = {
      batch: setting('batch', '128'),
      method: setting('method', 'refocus'),
      storage: setting('storage', 'f32'),
      norms: setting('norms', 'false'),
      memory: setting('memory', '0'),
    };
    const { network, side } = await networkOf(args, context);
    const options = { ...chosen, network, size: asked ?? side };
    await loadTask(modelOf(options.network));
    await readyForLimit(options);
    const summary = planSummary(options);
    if (args.values.json) context.out(JSON.stringify(summary.totals));
    else {
      context.out(summary.text);
      for (const [name, value] of Object.entries(summary.totals)) context.out(`${name}: ${value}`);
      const { memory, added, repeated } = stepForecast(options);
      context.out(
        `Memory without the images: ${memoryText(memory, ['weights', 'optimiser', 'activations'])}.`,
      );
      if (added) context.out(addedSentence(added));
      if (repeated) context.out(repeatedSentence(repeated));
    }
    return 0;
  },
};

/** The network that the arguments name, and the side of its images in pixels where the arguments do not tell it. */
async function networkOf(
  args: Args,
  context: Context,
): Promise<{ network: PlanOptions['network']; side: number }> {
  const network = networkFrom(args);
  const path = text(args, 'weights');
  if (path === undefined) return { network: namedNetwork(network ?? {}, optionLabel), side: DEFAULT_SIZE };
  const files = await readWeightFiles(path, '--weights', context);
  const { model, trainedSize, notes } = await loadNetwork({ kind: 'file', files, network });
  for (const note of notes) context.note(note);
  return { network: model, side: trainedSize ?? model.input.size };
}
