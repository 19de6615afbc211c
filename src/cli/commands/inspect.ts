import { basename } from 'node:path';
import type { InspectLayer } from '../../run/inspect';
import { describeFile, inspectFile } from '../../run/inspect-file';
import type { Command } from '../command';
import { readWeightFiles } from '../files';
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
    const [path] = args.positionals;
    const files = await readWeightFiles(path, undefined, context);
    const network = networkFrom(args);
    const layers = await inspectFile(files, network);
    for (const note of await describeFile(files, network)) context.note(note);
    context.out(args.values.json ? JSON.stringify({ file: basename(path), layers }) : layerTable(layers));
    return 0;
  },
};

function layerTable(layers: InspectLayer[]): string {
  const rows = layers.map(({ name, kind, shape, parameters, redundancy }) => [
    name,
    kind,
    shape.join('x'),
    String(parameters),
    redundancy === undefined ? '' : redundancy.divergence.toFixed(4),
    redundancy === undefined ? '' : redundancy.cosine.toFixed(4),
    redundancy === undefined ? '' : redundancy.effectiveRank.toFixed(2),
  ]);
  const head = ['layer', 'kind', 'shape', 'parameters', 'mean KL', 'cosine', 'effective rank'];
  return table([head, ...rows]);
}
