import type { BenchLine } from '../../api';
import { BENCH_CASES, selectOurCases } from '../../bench/cases';
import { UserError } from '../../errors';
import { type Command, text, texts } from '../command';
import { runtimeOptions } from '../options';
import { table } from '../table';

export const bench: Command = {
  usage: 'bench --case NAME',
  summary: "Measures this engine on the benchmark's cases; `npm run bench` compares it with others.",
  positionals: [],
  options: {
    case: {
      type: 'string',
      value: 'NAME',
      multiple: true,
      help: 'a case, or several by *; may come more than once; default: all that other libraries have too; step-ARCHITECTURE: training steps of a network, fine-tuned and refocused in turns, on 4 images of 64 px (of large networks 2 of 32)',
    },
    reps: { type: 'string', value: 'N', help: 'repetitions at most', fallback: '9' },
    json: { type: 'boolean', help: 'one JSON line a case' },
    ...runtimeOptions,
  },
  async run(args, context) {
    const patterns = texts(args, 'case');
    const cases = patterns.length > 0 ? selectOurCases(patterns) : BENCH_CASES;
    const reps = Number(text(args, 'reps') ?? '9');
    if (!Number.isInteger(reps) || reps < 1 || reps > 1000)
      throw new UserError(`--reps must be a whole number from 1 to 1000, not "${text(args, 'reps')}".`);
    const engine = await context.openEngine({ host: text(args, 'runtime') ?? 'auto' });
    const lines: BenchLine[] = [];
    try {
      for (const [index, { name }] of cases.entries()) {
        context.progress(`${index + 1}/${cases.length} ${name}`);
        const measured = await engine.api.bench(name, reps);
        context.progress('');
        if (args.values.json) for (const line of measured) context.out(JSON.stringify(line));
        else lines.push(...measured);
      }
    } finally {
      await engine.close();
    }
    if (lines.length > 0) context.out(table([HEAD, ...lines.map(row)]));
    return 0;
  },
};

const HEAD = ['case', 'ms', 'dispatches', 'submits', 'peak MB', 'first ms'];

const row = (l: BenchLine): string[] => [
  l.case,
  l.ms.toPrecision(3),
  String(l.dispatches),
  String(l.submits),
  (l.peakBytes / 1e6).toPrecision(3),
  l.firstMs.toPrecision(3),
];
