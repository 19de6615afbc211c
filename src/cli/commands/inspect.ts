import { type InspectLayer, inspectFile } from '../../run/inspect';
import type { Command } from '../command';
import { readUserFile } from '../files';
import { networkFrom, networkOptions } from '../options';
import { table } from '../table';

export const inspect: Command = {
  usage: 'inspect FILE',
  summary: 'Layers of a weights file: shapes, parameters, redundancy of spatial convolutions; needs no GPU.',
  positionals: ['FILE'],
  options: {
    ...networkOptions,
    json: { type: 'boolean', help: 'one JSON line' },
  },
  async run(args, context) {
    const file = await readUserFile(args.positionals[0]);
    const layers = await inspectFile(file, networkFrom(args));
    context.out(args.values.json ? JSON.stringify({ file: file.path, layers }) : layerTable(layers));
    return 0;
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
