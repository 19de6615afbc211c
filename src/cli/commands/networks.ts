import { UserError } from '../../errors';
import { networkFigures, networkRows } from '../../run/networks';
import { parseSetting } from '../../train/settings';
import { type Command, text } from '../command';
import { table } from '../table';

export const networks: Command = {
  usage: 'networks',
  summary:
    'The networks that are known: parameters, multiply-adds, RefConvs, and the cost of a training step; needs no GPU.',
  positionals: [],
  options: {
    batch: { type: 'string', value: 'N', help: 'images a step', fallback: '32' },
    size: {
      type: 'string',
      value: 'N',
      help: 'side of the images in pixels; default: 224, and 32 for networks for CIFAR',
    },
    json: { type: 'boolean', help: 'one JSON line' },
  },
  async run(args, context) {
    const given = text(args, 'size');
    const size = given === undefined ? undefined : parseSetting('imageSize', given, '--size');
    if (size === 0) throw new UserError('--size must be a whole number from 1 to 1024, not "0".');
    const batch = parseSetting('batch', text(args, 'batch') ?? '32', '--batch');
    const figures = networkFigures({ size, batch });
    context.out(args.values.json ? JSON.stringify(figures) : table(networkRows(figures)));
    return 0;
  },
};
