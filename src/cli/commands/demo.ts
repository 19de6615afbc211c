import { join } from 'node:path';
import { EXAMPLE_SET } from '../../data/builtin/builtin';
import { parseSettings } from '../../train/settings';
import { type Command, INTERRUPTED, text } from '../command';
import { givenSettings, optionLabel, runtimeOptions, settingOptions } from '../options';
import { table } from '../table';
import { prepare, type TrainedRun, trainInto } from '../train-into';

const shared = ['epochs', 'batch', 'lr', 'seed', 'limit'] as const;

export const demo: Command = {
  usage: 'demo [options]',
  summary:
    'The built-in network on images by another camera: fine-tuned and refocused for as long, side by side.',
  positionals: [],
  options: {
    ...settingOptions([...shared]),
    out: { type: 'string', value: 'DIR', help: 'folder of the results', fallback: 'runs/demo' },
    ...runtimeOptions,
  },
  async run(args, context) {
    const given = givenSettings(args, shared);
    const out = text(args, 'out') ?? join('runs', 'demo');
    const engine = await context.openEngine({ host: text(args, 'runtime') ?? 'auto', install: true });
    const runs: TrainedRun[] = [];
    try {
      for (const method of ['finetune', 'refocus'] as const) {
        context.note(method === 'finetune' ? 'Fine-tuning for comparison' : 'Refocusing');
        const settings = parseSettings({ ...given, method }, optionLabel);
        const prepared = await prepare({ data: [EXAMPLE_SET], settings }, context);
        const to = { out: join(out, method), overwrite: true };
        const run = await trainInto(to, prepared, engine, context, false);
        // cut short it is no comparison
        if (run.report.ended === 'stopped') return INTERRUPTED;
        runs.push(run);
      }
    } finally {
      await engine.close();
    }
    context.out(resultTable(runs[0], runs[1]));
    context.out(
      '\nOne run each, at one learning rate: no proof that one method is the better (docs/builtin.md).',
    );
    context.out(`adapter: ${runs[1].report.adapter}`);
    for (const { folder } of runs) context.out(`files: ${folder}`);
    return runs.every((run) => run.merged !== undefined) ? 0 : 1;
  },
};

/** How uneven the flips are by chance: McNemar's test. */
function flipsOf({ uncertainty: { flips } }: TrainedRun['report']): string {
  if (!flips) return '';
  const { gained, lost, p } = flips.last;
  return `${gained}, ${lost} (p = ${p.toPrecision(1)})`;
}

function resultTable(finetuned: TrainedRun, refocused: TrainedRun): string {
  const percent = (accuracy: number) => `${(100 * accuracy).toFixed(2)} %`;
  const row = (name: string, { report }: TrainedRun) => [
    name,
    percent(report.accuracy.last),
    percent(report.accuracy.best),
    report.proof.ok ? 'yes' : 'no',
    flipsOf(report),
    `${report.seconds.toFixed(0)} s`,
  ];
  const { base: before } = refocused.report.accuracy;
  const base = before === undefined ? '' : percent(before);
  return table([
    ['', 'last', 'best', 'merge proven', 'images gained, lost', 'time'],
    ['base', base, base, '', '', ''],
    row('fine-tuned', finetuned),
    row('refocused', refocused),
  ]);
}
