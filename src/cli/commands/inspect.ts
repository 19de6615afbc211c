import type { InspectLayer } from '../../worker/api';
import { type Command, text } from '../command';
import { readUserFile } from '../files';
import { networkFrom, networkOptions, runtimeOptions } from '../options';
import { table } from '../table';

export const inspect: Command = {
  usage: 'inspect FILE',
  summary: 'Layers of a checkpoint: shapes, parameters and the redundancy of the spatial convolutions.',
  positionals: ['FILE'],
  options: {
    ...networkOptions,
    json: { type: 'boolean', help: 'one JSON line' },
    ...runtimeOptions,
  },
  async run(args, context) {
    const file = await readUserFile(args.positionals[0]);
    const network = networkFrom(args);
    const session = await context.openEngine({ runtime: text(args, 'runtime') ?? 'auto' });
    try {
      const layers = await session.api.inspect(file, network);
      context.out(args.values.json ? JSON.stringify({ file: file.path, layers }) : layerTable(layers));
      return 0;
    } finally {
      await session.close();
    }
  },
};

function layerTable(layers: InspectLayer[]): string {
  const rows = layers.map(({ name, kind, shape, parameters, redundancy }) => [
    name,
    kind,
    shape.join('x'),
    String(parameters),
    redundancy === undefined ? '' : redundancy.toFixed(4),
  ]);
  return table([['layer', 'kind', 'shape', 'parameters', 'mean KL'], ...rows]);
}
