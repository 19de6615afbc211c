import { writeFile } from 'node:fs/promises';
import type { TrainEvent } from '../../api';
import { parseField, real, whole } from '../../train/field';
import { RATE_SEARCH, rateCsv } from '../../train/rate-search';
import { type Command, INTERRUPTED, text } from '../command';
import { runtimeOptions } from '../options';
import { describeEvents } from '../progress';
import { rateChart } from '../rate-chart';
import { prepare } from '../train-into';
import { readConfig, runOptions } from './train';

const rate = real({ above: 0, max: 1e6 }, 0.001);

export const lr: Command = {
  usage: 'lr [options]',
  summary:
    "Looks for a learning rate: some steps of training at growing rates, of which nothing is kept. Takes train's options; the suggestion is a JSON line, the curve a chart on stderr.",
  positionals: [],
  options: {
    ...runOptions,
    from: { type: 'string', value: 'X', help: 'first rate', fallback: String(RATE_SEARCH.from) },
    to: { type: 'string', value: 'X', help: 'last rate', fallback: String(RATE_SEARCH.to) },
    steps: { type: 'string', value: 'N', help: 'steps', fallback: String(RATE_SEARCH.steps) },
    csv: { type: 'string', value: 'FILE', help: 'write the curve there', fallback: 'lr.csv' },
    json: { type: 'boolean', help: 'print a JSON line for each step too' },
    ...runtimeOptions,
  },
  async run(args, context) {
    const number = (name: 'from' | 'to', fallback: number) =>
      parseField(rate, text(args, name) ?? fallback, `--${name}`);
    const options = {
      from: number('from', RATE_SEARCH.from),
      to: number('to', RATE_SEARCH.to),
      steps: parseField(whole(10, 10_000), text(args, 'steps') ?? RATE_SEARCH.steps, '--steps'),
    };
    const { job } = await prepare(await readConfig(args), context);
    const engine = await context.openEngine({ host: text(args, 'runtime') ?? 'auto' });
    const release = context.onInterrupt(() => {
      context.note('Stopping behind the step that is under way; interrupt again to quit at once.');
      void engine.api.cancel();
    });
    try {
      const describe = describeEvents(context.progress, context.note);
      const search = await engine.api.findRate(job, options, (event: TrainEvent) => {
        if (event.type !== 'steps') return describe(event);
        const [{ step, lr: now, loss }] = event.points;
        context.progress(
          `step ${step}/${options.steps}, rate ${now.toPrecision(2)}, loss ${loss.toFixed(4)}`,
        );
      });
      context.progress('');
      const { points, suggestion, reason, ended } = search;
      const file = text(args, 'csv') ?? 'lr.csv';
      await writeFile(file, rateCsv(search));
      for (const line of rateChart(search)) context.note(line);
      const use = suggestion === undefined ? 'No suggestion' : `Use --lr ${suggestion}`;
      context.note(`${use}: ${reason} The curve is in ${file}.`);
      if (args.values.json === true) for (const point of points) context.out(JSON.stringify(point));
      context.out(JSON.stringify({ lr: suggestion, reason, steps: points.length, ended }));
      if (suggestion !== undefined) return 0;
      return ended === 'stopped' ? INTERRUPTED : 1;
    } finally {
      release();
      await engine.close();
    }
  },
};
