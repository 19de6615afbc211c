import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { closeImages } from '../../data/pixels';
import { UserError } from '../../errors';
import { cellsOf } from '../../experiment/cells';
import { type Experiment, parseExperiment } from '../../experiment/experiment';
import { RECIPE_FILE, type RecipeFile, recipeFiles } from '../../recipe/folder';
import { checkClassifier } from '../../run/check-classifier';
import { KeptImages } from '../../run/kept-images';
import { type Loaded, load } from '../../run/load';
import { isRandom } from '../../run/loaded-network';
import { Memo } from '../../run/memo';
import type { TrainSettings } from '../../train/settings';
import { type Args, type Command, type Context, text } from '../command';
import { isExperiment, openExperimentFolder } from '../experiment/folder';
import { experimentOf, experimentOptions } from '../experiment/read';
import { readJson } from '../json-file';
import { makeFolders, reasonOf } from '../make-folders';
import { shellWord } from '../shell';
import { prepare } from '../train-into';

export const exportRecipe: Command = {
  usage: 'export-recipe EXPERIMENT [options]',
  summary:
    'Writes an experiment (a preset, a file, or a folder of one or of its recipe) as a folder that PyTorch runs, on any number of GPUs.',
  positionals: ['EXPERIMENT'],
  options: {
    out: { type: 'string', value: 'DIR', help: "the folder; default: recipes/ and the experiment's name" },
    overwrite: { type: 'boolean', help: 'write into a folder that holds something already' },
    ...experimentOptions,
  },
  async run(args, context) {
    const [named] = args.positionals;
    const experiment = await described(named, args);
    const folder = text(args, 'out') ?? join('recipes', experiment.name);
    if (args.values.overwrite !== true) await requireFree(folder);
    const { loaded, ...more } = await loadAll(experiment, context);
    const bytes: Record<string, number> = {};
    try {
      const files = recipeFiles(experiment, loaded, more);
      await makeFolder(folder);
      for (const file of files) {
        context.progress(`Writing ${file.name}`);
        bytes[file.name] = await write(folder, file);
      }
    } finally {
      await closeImages(loaded.train, loaded.test);
      context.progress('');
    }
    context.out(JSON.stringify({ folder, cells: cellsOf(experiment).length, bytes }));
    const script = shellWord(join(folder, 'train.py'));
    context.note(
      `python3 ${script} runs it, torchrun --nproc_per_node N ${script} on N GPUs; refocus report ${shellWord(folder)} then makes its report.`,
    );
    return 0;
  },
};

/**
 * That of a folder as it is, or a preset or file with what the options say otherwise.
 * @throws UserError where options are to change that of a folder
 */
async function described(named: string, args: Args): Promise<Experiment> {
  const recipe = join(named, RECIPE_FILE);
  const isBegun = isExperiment(named);
  if (!isBegun && !existsSync(recipe)) return experimentOf(args);
  const others = Object.keys(args.values).filter((name) => !['out', 'overwrite'].includes(name));
  if (others.length > 0)
    throw new UserError(
      `${others.map((name) => `--${name}`).join(', ')} cannot change the experiment of ${named}, which is decided: name its preset or file with them.`,
    );
  if (isBegun) return (await openExperimentFolder(named)).experiment;
  const written = (await readJson(recipe)) as { experiment?: unknown } | null;
  return parseExperiment(written?.experiment, `${recipe}, experiment`);
}

/** The network and images of an experiment's runs, and which of them a search holds out. */
async function loadAll(
  experiment: Experiment,
  context: Context,
): Promise<{ loaded: Loaded; split: Loaded['split']; isRandom: boolean }> {
  const { base, data, test, settings: shared, lrSearch } = experiment;
  const isNew = base.network !== undefined && base.weights === undefined;
  const settings: TrainSettings = { ...shared, method: isNew ? 'retrain' : 'finetune' };
  const { network, weights, labels } = base;
  const { job } = await prepare({ network, weights, labels, data, test, settings, home: '.' }, context);
  const kept = await new KeptImages().of('recipe');
  const loading = {
    memo: new Memo(),
    kept,
    goOn: () => {},
    emit: (event: { type: string; message?: string }) => {
      if (event.type === 'phase') context.progress(event.message!);
      else if (event.type === 'warning') context.note(`warning: ${event.message}`);
    },
  };
  const loaded = await load(job, loading);
  checkClassifier(loaded.network);
  const validating = { ...settings, validate: true, validationShare: lrSearch?.heldOut ?? 'auto' } as const;
  const split =
    lrSearch && (await load({ ...job, settings: validating }, { ...loading, emit: () => {} })).split;
  return { loaded, split, isRandom: isRandom(job.model) };
}

/** @throws UserError where there is something that would be written over */
async function requireFree(path: string): Promise<void> {
  const there = await readdir(path).catch((error: NodeJS.ErrnoException) =>
    error.code === 'ENOENT' ? [] : [error.code],
  );
  if (there.length > 0)
    throw new UserError(`${path} holds something already: name another --out, or say --overwrite.`);
}

/** @throws UserError where it cannot be made */
async function makeFolder(path: string): Promise<void> {
  await makeFolders(path).catch((error: unknown) => {
    throw new UserError(`${path} cannot be made (${reasonOf(error)}); name another --out.`);
  });
}

/** @returns the bytes written */
async function write(folder: string, { name, pieces }: RecipeFile): Promise<number> {
  const path = join(folder, name);
  let bytes = 0;
  async function* counted() {
    for await (const piece of pieces) {
      bytes += piece.length;
      yield piece;
    }
  }
  try {
    await writeFile(path, counted());
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new UserError(`${path} cannot be written (${code}); name another --out, or free some space.`);
  }
  return bytes;
}
