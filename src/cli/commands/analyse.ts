import { writeFile } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import type { AnalyseJob, Analysis, ModelSource, NamedSource } from '../../api';
import { skippedCsv } from '../../data/report';
import { UserError } from '../../errors';
import { analysisHtml } from '../../report/analysis/document';
import { headlines } from '../../report/analysis/headlines';
import { count } from '../../report/format';
import {
  type AnalysisNumbers,
  analyses,
  analysesOf,
  analysisFieldNames,
  analysisFields,
  analysisNames,
  analysisNumbers,
  wantedOf,
} from '../../run/analyse/options';
import { passesOf } from '../../run/analyse/passes';
import { REPORT_PAGE } from '../../run/run-files';
import {
  type Args,
  type Command,
  type Context,
  INTERRUPTED,
  type OptionTable,
  text,
  texts,
} from '../command';
import { experimentJob } from '../experiment/analysed';
import { ANALYSIS_FILE } from '../experiment/analysis-sections';
import { type ExperimentFolder, isExperiment, openExperimentFolder } from '../experiment/folder';
import { makeFolders, reasonOf } from '../make-folders';
import { dataFrom, kebab, modelFrom, networkFrom, networkOptions, runtimeOptions } from '../options';
import { trainedNetworkIn } from '../run-folder';
import { table } from '../table';

/** The word for the built-in network. */
const BUILTIN = 'builtin';

/** What an analysis leaves in its folder. */
const FILES = { data: ANALYSIS_FILE, page: 'analysis.html', skipped: 'skipped.csv' } as const;

const numberOptions: OptionTable = Object.fromEntries(
  analysisFieldNames.map((name) => {
    const { help, placeholder, fallback } = analysisFields[name];
    return [optionOf(name), { type: 'string', value: placeholder, help, fallback: String(fallback) }];
  }),
);

/** `analysisSeed` is `--seed`: the name tells it from a run's in what is kept. */
function optionOf(name: string): string {
  return name === 'analysisSeed' ? 'seed' : kebab(name);
}

export const analyse: Command = {
  usage: 'analyse [options] NETWORK...',
  summary:
    'What sets networks of one architecture apart, the first being the base, or the arms of an experiment by its folder: weights, calibration, likeness of features, robustness, sharpness, loss landscape, as one HTML file and JSON.',
  positionals: ['NETWORK...'],
  options: {
    ...networkOptions,
    test: {
      type: 'string',
      multiple: true,
      value: 'PATH',
      help: 'images of the networks’ classes; default: builtin for the built-in network, else none, and only the weights are looked at',
    },
    transfer: {
      type: 'string',
      multiple: true,
      value: 'PATH',
      help: 'images of any classes, for a linear probe of the features; default: builtin-camera for the built-in network, else none',
    },
    only: {
      type: 'string',
      value: 'LIST',
      help: `these analyses alone, by commas: ${analysisNames.join(', ')}`,
    },
    ...numberOptions,
    out: {
      type: 'string',
      value: 'DIR',
      help: `folder for ${FILES.page} and ${FILES.data}`,
      fallback: 'analysis',
    },
    json: { type: 'boolean', help: 'print everything as one JSON line' },
    ...runtimeOptions,
  },
  async run(args, context) {
    const [first, ...others] = args.positionals;
    const folder = others.length === 0 && isExperiment(first) ? await openExperimentFolder(first) : undefined;
    const job = await jobOf(args, folder, context);
    const out = text(args, 'out') ?? folder?.path ?? 'analysis';
    await makeFolders(out).catch((error: unknown) => {
      throw new UserError(`--out ${out} cannot be made (${reasonOf(error)}); name another folder.`);
    });
    const passes = passesOf(wantedOf(job), job.networks.length, job.numbers.images, job.numbers);
    if (passes > 0)
      context.note(
        `At most ${count(passes)} forward passes of an image; the first ones tell how long it takes.`,
      );
    const engine = await context.openEngine({ host: text(args, 'runtime') ?? 'auto' });
    const release = context.onInterrupt(() => {
      context.note('Stopping: what is made so far is kept; interrupt again to quit at once.');
      void engine.api.cancel();
    });
    try {
      const analysis = await engine.api.analyse(job, ({ message }) => context.progress(message));
      context.progress('');
      for (const note of analysis.notes) context.note(note);
      const kept = await save(analysis, out);
      context.out(args.values.json === true ? kept : summary(analysis));
      const failed = Object.values(analysis.failures);
      for (const why of failed) context.note(`warning: ${why}`);
      if (analysis.stopped) context.note('Stopped: what was made until then is kept.');
      if (folder && out === folder.path) await folder.writeResults();
      const page = join(out, folder && out === folder.path ? REPORT_PAGE : FILES.page);
      context.note(`The report is ${page}: open it in a browser.`);
      if (failed.length > 0) return 1;
      return analysis.stopped ? INTERRUPTED : 0;
    } finally {
      release();
      await engine.close();
    }
  },
};

/** Writes everything into a folder. @returns the analysis as one line of JSON */
async function save(analysis: Analysis, out: string): Promise<string> {
  const { report, ...kept } = analysis;
  await writeFile(join(out, FILES.data), `${JSON.stringify(kept, null, 1)}\n`);
  await writeFile(join(out, FILES.page), analysisHtml(analysis));
  if (report && report.skipped.length > 0)
    await writeFile(join(out, FILES.skipped), skippedCsv(report.skipped));
  return JSON.stringify(kept);
}

async function jobOf(
  args: Args,
  folder: ExperimentFolder | undefined,
  context: Context,
): Promise<AnalyseJob & { numbers: AnalysisNumbers }> {
  const only = text(args, 'only');
  const numbers = analysisNumbers(
    Object.fromEntries(analysisFieldNames.map((name) => [name, text(args, optionOf(name))])),
    (name) => `--${optionOf(name)}`,
  );
  const named: Omit<AnalyseJob, 'numbers'> = folder
    ? await experimentJob(folder, context)
    : { networks: await networksOf(args, context) };
  const isBuiltin = args.positionals[0] === BUILTIN;
  const source = async (option: 'test' | 'transfer', builtin: string) => {
    const given = texts(args, option);
    if (given.length === 0 && !isBuiltin) return undefined;
    return dataFrom(given.length > 0 ? given : [builtin], 'test', context, `--${option}`);
  };
  const test = (await source('test', 'builtin')) ?? named.test;
  const transfer = await source('transfer', 'builtin-camera');
  const names = only === undefined ? undefined : analysesOf(only.split(',').map((name) => name.trim()));
  const hasImages = (test ?? named.train) !== undefined;
  const lacking = (names ?? []).filter((name) => analyses[name].needs !== 'nothing' && !hasImages);
  if (lacking.length > 0)
    throw new UserError(
      `--test is missing: ${lacking.join(', ')} need images that the networks are tested on.`,
    );
  if (!hasImages) context.note('No images (--test): the weights alone are looked at.');
  return { ...named, test, transfer, ...(names && { only: names }), numbers };
}

async function networksOf(args: Args, context: Context): Promise<NamedSource[]> {
  const networks: NamedSource[] = [];
  for (const path of args.positionals)
    networks.push({ name: nameOf(path, args.positionals), source: await networkAt(path, args, context) });
  return networks;
}

/** The file's name without its ending, or the folder's of a run, with as many folders before it as tell it from the others. */
function nameOf(path: string, all: readonly string[]): string {
  const parts = (one: string) =>
    resolve(one)
      .replace(/\.(safetensors|pt|pth|th|ckpt|onnx)$/, '')
      .split(sep)
      .filter((part) => part !== '');
  const end = (one: string, count: number) => parts(one).slice(-count).join('/');
  const others = all.filter((other) => resolve(other) !== resolve(path));
  let count = 1;
  while (count < parts(path).length && others.some((other) => end(other, count) === end(path, count)))
    count++;
  return end(path, count);
}

async function networkAt(path: string, args: Args, context: Context): Promise<ModelSource> {
  const network = networkFrom(args);
  if (path === BUILTIN) return { kind: 'builtin' };
  return modelFrom({ network, weights: trainedNetworkIn(path) ?? path }, context, undefined, '');
}

/** The main figures, a row a network. */
function summary(analysis: Analysis): string {
  const { columns, rows } = headlines(analysis);
  return table([columns.map(({ name }) => name), ...rows]);
}
