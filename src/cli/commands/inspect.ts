import { describeFile, type InspectLayer, inspectFile } from '../../run/inspect';
import type { Command } from '../command';
import { readUserFile } from '../files';
import { networkFrom, networkOptions } from '../options';
import { table } from '../table';

export const inspect: Command = {
  usage: 'inspect FILE',
  summary:
    'What a weights file is, and its layers: shapes, parameters, redundancy of spatial convolutions; needs no GPU.',
  positionals: ['FILE'],
  options: {
    ...networkOptions,
    json: { type: 'boolean', help: 'one JSON line' },
  },
  async run(args, context) {
    const file = await readUserFile(args.positionals[0]);
    const network = networkFrom(args);
    const layers = await inspectFile(file, network);
    for (const note of await describeFile(file, network)) context.note(note);
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
