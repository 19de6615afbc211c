import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { UserError } from '../../errors';
import { picturesOf, redundancyOf } from '../../experiment/ended-cells';
import type { ExperimentResults } from '../../experiment/results';
import { combined, type NamedResults, parseResults } from '../../experiment/results-file';
import { RECIPE_FILE } from '../../recipe/folder';
import { armsCsv, armsOf, armsTable, hasEnded } from '../../report/arms';
import { experimentHtml } from '../../report/experiment';
import { experimentFigures } from '../../report/experiment-figures';
import { withoutRateSentences } from '../../report/experiment-words';
import { reportHtml } from '../../report/report';
import { REPORT_PAGE } from '../../run/run-files';
import { type Args, type Command, type Context, text } from '../command';
import { analysedSections } from '../experiment/analysis-sections';
import { goOnWith, isExperiment, openExperimentFolder, RESULTS_FILE } from '../experiment/folder';
import { armsLines } from '../experiment/table';
import { readJson } from '../json-file';
import { readKeptRun } from '../kept-runs';
import { makeFolders } from '../make-folders';
import { shellWord } from '../shell';
import { table } from '../table';

export const report: Command = {
  usage: 'report RUN...',
  summary:
    'One HTML file on runs, by their folders or bundles (.zip); of several with the table of arms, the first as the reference. Or on the experiments of folders, those of recipes too.',
  positionals: ['RUN...'],
  options: {
    out: { type: 'string', value: 'FILE', help: 'where it is written', fallback: REPORT_PAGE },
    title: { type: 'string', value: 'TEXT', help: 'its heading; default: the name of the run' },
    csv: { type: 'string', value: 'FILE', help: 'write the table of arms there too' },
    figures: { type: 'string', value: 'DIR', help: 'write the figures of an experiment there too, as SVG' },
    json: {
      type: 'boolean',
      help: 'the table of arms, or results of an experiment, as one JSON line, and no report',
    },
  },
  async run(args, context) {
    requireRun(args.positionals);
    const experiments = args.positionals.filter((path) => isExperiment(path) || hasResults(path));
    if (experiments.length > 0 && experiments.length < args.positionals.length)
      throw new UserError(`${experiments[0]} is an experiment, and others are runs: report them apart.`);
    if (experiments.length > 0) return reportExperiments(experiments, args, context);
    if (args.values.figures !== undefined)
      throw new UserError('--figures is for an experiment: name the folder of one.');
    const runs = [];
    for (const path of args.positionals) runs.push(await readKeptRun(path));
    const ended = runs.filter(hasEnded);
    if (ended.length === 0 && (args.values.json || args.values.csv))
      throw new UserError('None of these runs has come to an end: there is no table of them yet.');
    const arms = ended.length > 0 ? armsOf(ended) : [];
    if (args.values.json === true) {
      context.out(JSON.stringify(armsTable(arms)));
      return 0;
    }
    const out = text(args, 'out') ?? REPORT_PAGE;
    await write(out, reportHtml(runs, { title: text(args, 'title') }));
    const csv = text(args, 'csv');
    if (csv !== undefined) await write(csv, armsCsv(arms));
    if (arms.length > 1) context.out(lines(armsTable(arms)));
    context.note(`The report is ${out}: open it in a browser.`);
    return 0;
  },
};

/** The report of an experiment's folder, of what is done of it by now; of several, or of a recipe's, by their results.json. */
async function reportExperiments(paths: string[], args: Args, context: Context): Promise<number> {
  const named = ['title', 'csv'].filter((name) => args.values[name] !== undefined);
  if (named.length > 0)
    throw new UserError(
      `--${named[0]} is for runs; of an experiment, results.json has every figure (docs/experiments.md).`,
    );
  const [path] = paths;
  const isOne = paths.length === 1;
  const results = isOne ? await resultsIn(path) : combined(await namedResults(paths));
  if (args.values.json === true) {
    context.out(JSON.stringify(results));
    return 0;
  }
  const out = text(args, 'out') ?? (isOne ? join(path, REPORT_PAGE) : REPORT_PAGE);
  const more = isOne && { ...(await seenIn(path)), sections: await analysedSections(path) };
  await write(out, experimentHtml(results, more || {}));
  const figures = text(args, 'figures');
  if (figures !== undefined) {
    await makeFolders(figures);
    for (const [name, svg] of experimentFigures(results)) await write(join(figures, name), svg);
  }
  context.out(armsLines(results));
  context.note(`The report is ${out}: open it in a browser.`);
  const untrained = withoutRateSentences(results);
  for (const sentence of untrained) context.note(sentence);
  if (isOne && !results.complete && untrained.length === 0)
    context.note(
      `${results.missing.length} of its runs are still to come: ${goesOn(path)} goes on with them.`,
    );
  return 0;
}

const isRecipe = (path: string): boolean => existsSync(join(path, RECIPE_FILE));

/** The command that goes on with what a folder holds. */
const goesOn = (path: string): string =>
  isExperiment(path)
    ? goOnWith(path)
    : `python3 ${shellWord(join(isRecipe(path) ? path : 'RECIPE', 'train.py'))}`;

/** @throws UserError where one is a recipe without results */
function requireRun(paths: readonly string[]): void {
  const waiting = paths.find((path) => isRecipe(path) && !hasResults(path));
  if (waiting === undefined) return;
  throw new UserError(
    `${waiting} is a recipe of which no run has come to its end: ${goesOn(waiting)} runs it, or goes on with it. Run with --out DIR, its results are in DIR.`,
  );
}

/** What an experiment's folder has come to, its results.json complete. */
async function resultsIn(path: string): Promise<ExperimentResults> {
  if (isExperiment(path)) return (await openExperimentFolder(path)).writeResults();
  const file = join(path, RESULTS_FILE);
  const results = parseResults(await readJson(file), file);
  await write(file, `${JSON.stringify(results, null, 2)}\n`);
  return results;
}

/** Each under the last part of its path, which tells it from the others. */
async function namedResults(paths: string[]): Promise<NamedResults[]> {
  const names = paths.map((path) => basename(resolve(path)));
  const areApart = new Set(names).size === names.length;
  const all: NamedResults[] = [];
  for (const [i, path] of paths.entries())
    all.push({ name: areApart ? names[i] : path, results: await resultsIn(path) });
  return all;
}

/** Kernels before and after, and what networks see, where a folder has its runs. */
async function seenIn(path: string) {
  if (!isExperiment(path)) return {};
  const ended = await (await openExperimentFolder(path)).endedCells();
  return { redundancy: redundancyOf(ended), pictures: picturesOf(ended) };
}

const hasResults = (path: string): boolean => existsSync(join(path, RESULTS_FILE));

async function write(path: string, content: string): Promise<void> {
  try {
    await writeFile(path, content);
  } catch (error) {
    throw new UserError(
      `${path} cannot be written (${(error as NodeJS.ErrnoException).code}); name another file.`,
    );
  }
}

/** The table's main columns, for a terminal. */
function lines(rows: ReturnType<typeof armsTable>): string {
  const percent = (value: string | number | null) =>
    typeof value === 'number' ? `${(100 * value).toFixed(2)} %` : '';
  return table([
    ['', 'method', 'seed', 'base', 'last', 'best', 'difference', 'p'],
    ...rows.map((row) => [
      String(row.name),
      String(row.method),
      String(row.seed),
      percent(row.base),
      percent(row.last),
      percent(row.best),
      percent(row.difference),
      typeof row.mcnemar_p === 'number' ? row.mcnemar_p.toPrecision(2) : '',
    ]),
  ]);
}
