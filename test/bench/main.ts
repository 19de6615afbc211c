/** `npm run bench`: our engine and other libraries on the same cases, in one run. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { selectCases } from '../../src/bench/cases';
import { UserError } from '../../src/errors';
import { LIBRARIES, type LibraryName } from './libraries/library';
import { openBrowserPlace, openNodePlace } from './places';
import { type BenchReport, markdown } from './report';

const HELP = `npm run bench -- [options]
  --case GLOB       cases, * for anything; may come more than once (all)
  --peers A,B       of ours, tfjs, jaxjs (all)
  --reps N          repetitions at most (9)
  --runtime R       browser or node (browser)
  --write           also write docs/benchmark.md`;

const options = {
  case: { type: 'string', multiple: true },
  peers: { type: 'string', default: Object.keys(LIBRARIES).join(',') },
  reps: { type: 'string', default: '9' },
  runtime: { type: 'string', default: 'browser' },
  write: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof options }>>['values'];

/** Runs the benchmark; gives the exit status. */
export async function main(argv: string[]): Promise<number> {
  try {
    const { values } = parseArgs({ args: argv, options });
    if (values.help) console.log(HELP);
    else await run(values);
    return 0;
  } catch (error) {
    const known =
      error instanceof UserError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS');
    console.error(known ? (error as Error).message : error);
    return 2;
  }
}

async function run(values: Values) {
  const cases = selectCases(values.case ?? ['*']);
  const libraries = values.peers.split(',');
  const unknown = libraries.find((l) => !Object.hasOwn(LIBRARIES, l));
  if (unknown !== undefined)
    throw new UserError(`--peers must be some of ${Object.keys(LIBRARIES).join(', ')}, not "${unknown}".`);
  const reps = Number(values.reps);
  if (!Number.isInteger(reps) || reps < 1)
    throw new UserError(`--reps must be a whole number from 1, not "${values.reps}".`);
  if (!['browser', 'node'].includes(values.runtime))
    throw new UserError(`--runtime must be browser or node, not "${values.runtime}".`);
  const place = await (values.runtime === 'node' ? openNodePlace() : openBrowserPlace(console.error));
  const date = new Date().toISOString();
  const report: BenchReport = { where: place.description, date: date.slice(0, 10), cases: {} };
  try {
    for (const { name } of cases) {
      report.cases[name] = {};
      for (const library of libraries as LibraryName[]) {
        const outcome = await place.measure(library, name, reps);
        report.cases[name][library] = outcome;
        console.log(JSON.stringify({ library, case: name, ...outcome }));
      }
    }
  } finally {
    await place.close();
  }
  await write(report, date, values.write);
}

async function write(report: BenchReport, date: string, docs: boolean): Promise<void> {
  const folder = join('.cache', 'bench');
  await mkdir(folder, { recursive: true });
  const file = join(folder, `${date.replace(/[:.]/g, '-')}.json`);
  await writeFile(file, `${JSON.stringify(report, null, 1)}\n`);
  const text = markdown(report);
  await writeFile(file.replace(/json$/, 'md'), text);
  if (docs) {
    await mkdir('docs', { recursive: true });
    await writeFile(join('docs', 'benchmark.md'), text);
  }
  console.log(`\n${text}\n${file}`);
}
