import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../errors';
import {
  type CostQuantity,
  costHtml,
  costLines,
  costQuantities,
  costRows,
  costSvg,
} from '../../report/layer-cost';
import { svgFile } from '../../report/svg-file';
import { layerCost } from '../../run/layer-cost';
import { parseField, whole } from '../../train/field';
import { parseSetting } from '../../train/settings';
import { type Args, type Command, text } from '../command';
import { makeFolders, reasonOf } from '../make-folders';
import { settingOptions } from '../options';
import { table } from '../table';

/** From a small network's first layers to a large one's last. */
const CHANNELS = '16,32,64,128,256,512,1024';
const KERNELS = '3,5,7';

export const cost: Command = {
  usage: 'cost',
  summary:
    'What the map of a depthwise layer costs over channels and kernels, dense and factored, by the plan; needs no GPU.',
  positionals: [],
  options: {
    channels: { type: 'string', value: 'C,...', help: 'channels of the layer', fallback: CHANNELS },
    kernels: { type: 'string', value: 'K,...', help: 'sides of its kernels, odd', fallback: KERNELS },
    ...settingOptions(['mapKernel']),
    batch: { type: 'string', value: 'N', help: 'images of a batch', fallback: '128' },
    size: { type: 'string', value: 'N', help: 'side in pixels of what the layer sees', fallback: '14' },
    out: { type: 'string', value: 'DIR', help: 'write cost.html, cost.json and figures (SVG) there' },
    json: { type: 'boolean', help: 'only the figures, one JSON line' },
  },
  async run(args, context) {
    const mapKernel = parseSetting('mapKernel', args.values['map-kernel'] ?? '3', '--map-kernel');
    const batch = parseField(whole(1, 4096), text(args, 'batch') ?? '128', '--batch');
    const size = parseField(whole(1, 1024), text(args, 'size') ?? '14', '--size');
    const kernels = list(args, 'kernels', KERNELS, 31);
    const even = kernels.find((kernel) => kernel % 2 === 0);
    if (even !== undefined) throw new UserError(`--kernels must be odd, not ${even}.`);
    const costs = kernels.flatMap((kernel) =>
      list(args, 'channels', CHANNELS, 4096).map((channels) =>
        layerCost({ channels, kernel, mapKernel, batch, size }),
      ),
    );
    if (args.values.json === true) {
      context.out(JSON.stringify(costs));
      return 0;
    }
    const { head, rows } = costRows(costs);
    context.out(table([head.map((name) => name.replace('dense', 'd').replace('factored', 'f')), ...rows]));
    const out = text(args, 'out');
    if (out === undefined) return 0;
    const files: [string, string][] = [
      ['cost.html', costHtml(costs)],
      ['cost.json', `${JSON.stringify(costs, null, 2)}\n`],
      ...(Object.keys(costQuantities) as CostQuantity[]).map((quantity): [string, string] => [
        `${quantity}.svg`,
        svgFile(costSvg(costs, quantity), costQuantities[quantity].title, costLines(costs)),
      ]),
    ];
    await write(out, files);
    context.note(`The figures are in ${out}: open ${join(out, 'cost.html')} in a browser.`);
    return 0;
  },
};

function list(args: Args, option: string, fallback: string, most: number): number[] {
  const parts = (text(args, option) ?? fallback).split(',');
  return parts.map((part) => parseField(whole(1, most), part, `--${option}`));
}

async function write(folder: string, files: readonly [string, string][]): Promise<void> {
  try {
    await makeFolders(folder);
    for (const [name, content] of files) await writeFile(join(folder, name), content);
  } catch (error) {
    throw new UserError(`${folder} cannot be written (${reasonOf(error)}); name another --out.`);
  }
}
