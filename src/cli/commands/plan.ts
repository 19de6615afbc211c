import { UserError } from '../../errors';
import { mapsSentence, memoryText } from '../../run/forecast-words';
import { namedNetwork } from '../../run/network-options';
import { planSummary, stepForecast } from '../../run/plan-summary';
import { parseSetting } from '../../train/settings';
import { type Command, text } from '../command';
import { networkFrom, networkOptions, optionLabel, settingOptions } from '../options';

export const plan: Command = {
  usage: 'plan --arch A --size N',
  summary: 'Prints the plan of a training step and its totals; needs no GPU.',
  positionals: [],
  options: {
    ...networkOptions,
    ...settingOptions(['batch', 'method', 'storage']),
    size: { type: 'string', value: 'N', help: 'side of the input in pixels', fallback: '32' },
    json: { type: 'boolean', help: 'only the totals, one JSON line' },
  },
  async run(args, context) {
    const network = namedNetwork(networkFrom(args) ?? {}, optionLabel);
    const size = parseSetting('imageSize', text(args, 'size') ?? '32', '--size');
    if (size === 0) throw new UserError('--size must be a whole number from 1 to 1024, not "0".');
    const batch = parseSetting('batch', text(args, 'batch') ?? '128', '--batch');
    const method = parseSetting('method', text(args, 'method') ?? 'refocus', '--method');
    const storage = parseSetting('storage', text(args, 'storage') ?? 'f32', '--storage');
    const options = { network, batch, size, method, storage };
    const summary = planSummary(options);
    if (args.values.json) context.out(JSON.stringify(summary.totals));
    else {
      context.out(summary.text);
      for (const [name, value] of Object.entries(summary.totals)) context.out(`${name}: ${value}`);
      const { memory, maps } = stepForecast(options);
      context.out(
        `Memory without the images: ${memoryText(memory, ['weights', 'optimiser', 'activations'])}.`,
      );
      if (maps) context.out(mapsSentence(maps));
    }
    return 0;
  },
};
