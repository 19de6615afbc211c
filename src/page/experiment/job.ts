/** What the runs of an experiment train: one network and the same images for all, whatever the page is set to meanwhile. */
import type { DataSource, TrainJob, UserFile } from '../../api';
import { builtinSets, EXAMPLE_SET, hasObjects, isBuiltinSet } from '../../data/builtin/builtin';
import { UserError } from '../../errors';
import { type Cell, cellsOf } from '../../experiment/cells';
import type { Experiment } from '../../experiment/experiment';
import { BUILTIN_FILE } from '../../model/builtin';
import { namedNetwork } from '../../run/network-options';
import { nameOf } from '../files';
import { count } from '../format';
import { readData, readModel } from '../input/sources';
import { entries } from '../saved/entries';
import { readJob } from '../saved/inputs';
import { config } from '../settings/config';
import type { KeptExperiment } from './kept';
import { startFile } from './start';

type Inputs = Pick<TrainJob, 'model' | 'train' | 'test'>;

/** Whether the experiment brings its images, so that those of step 1 take no part; of other tasks than classification there are none. */
export const bringsImages = ({ data, base }: Experiment): boolean =>
  base.weights === undefined &&
  data.length === 1 &&
  isBuiltinSet(data[0]) &&
  (config.value.source === 'builtin' || hasObjects(data[0]));

/** What a cell trains, but for its settings. */
export async function jobOf(kept: KeptExperiment, cell: Cell): Promise<Inputs> {
  const own = await inputsOf(kept);
  if (cell.from === undefined) return own;
  const start = kept.ended.find((one) => one.cell.id === cell.from)?.merged;
  if (!start)
    throw new UserError(`The network of ${cell.from}, which ${cell.id} starts from, is not here any more.`);
  return { ...own, model: { kind: 'file', files: [startFile(cell.from, start)] } };
}

/** An experiment as its report tells it: with the names of the network and images that its runs had, whichever step 1 gave them. */
export function asTrained({ experiment, ended }: KeptExperiment): Experiment {
  const report = ended.find(({ cell }) => cell.from === undefined)?.run.report;
  if (!report) return experiment;
  const { network, sources } = report;
  const { test: _, ...rest } = experiment;
  const isOwn = !experiment.base.train && network.source !== BUILTIN_FILE;
  return {
    ...rest,
    base: { ...experiment.base, ...(isOwn && { weights: network.source }) },
    data: sources.train,
    ...(sources.test && { test: sources.test }),
  };
}

/** Of the experiments of this page. */
const inputs = new Map<string, Inputs>();

/** What an experiment is begun or gone on with, in words by which the same can be chosen again. */
export const inputsInWords = async (kept: KeptExperiment): Promise<string> => inWords(await inputsOf(kept));

/** The network and images of step 1 as they were when it was begun, or those of the experiment where it names built-in ones. */
async function inputsOf(kept: KeptExperiment): Promise<Inputs> {
  const builtin = builtinInputs(kept);
  if (builtin) return builtin;
  const found = inputs.get(kept.id) ?? (await keptInputs(kept)) ?? chosenInputs(kept);
  inputs.set(kept.id, found);
  return found;
}

/**
 * Those of step 1.
 * @throws UserError where the experiment was begun with others
 */
function chosenInputs({ inputs: begunWith }: KeptExperiment): Inputs {
  try {
    const chosen = { model: readModel(), ...readData() };
    if (begunWith === undefined || begunWith === inWords(chosen)) return chosen;
  } catch (error) {
    if (begunWith === undefined) throw error;
  }
  throw new UserError(
    `What this experiment trains is not in the browser’s storage any more: choose the same again in step 1, then go on here. It was ${begunWith}.`,
  );
}

function inWords({ model, train, test }: Inputs): string {
  const network =
    model.kind === 'file'
      ? filesInWords(model.files)
      : model.kind === 'random'
        ? `random weights of ${model.network.arch}`
        : 'the built-in network';
  const images = [train, test].filter((source) => source !== undefined);
  return [network, ...images.map(imagesInWords)].join('; ');
}

const imagesInWords = (source: DataSource): string =>
  source.kind === 'files'
    ? filesInWords(source.files)
    : `${source.split} images of ${builtinSets[source.set ?? 'builtin'].label}`;

function filesInWords(files: readonly UserFile[]): string {
  const size = files.reduce((sum, { blob }) => sum + blob.size, 0);
  return `${nameOf(files)} (${files.length === 1 ? '' : `${count(files.length)} files, `}${count(size)} bytes)`;
}

function builtinInputs({ experiment, isBuiltin }: KeptExperiment): Inputs | undefined {
  const [set] = experiment.data;
  if (!(isBuiltin ?? bringsImages(experiment)) || !isBuiltinSet(set) || set === EXAMPLE_SET) return undefined;
  const { network } = experiment.base;
  const model: TrainJob['model'] = network
    ? { kind: 'random', network: namedNetwork(network), seed: experiment.seeds[0] }
    : { kind: 'builtin' };
  return {
    model,
    train: { kind: 'builtin', split: 'train', set },
    test: { kind: 'builtin', split: 'test', set },
  };
}

/** Those of the earliest of its runs that an earlier page has kept. */
async function keptInputs({ id, experiment }: KeptExperiment): Promise<Inputs | undefined> {
  // where the base is trained first, which was before all others, these take no part in what network is left to train
  const cells = cellsOf(experiment).filter(({ from }) => from === undefined || experiment.base.train);
  const names = new Set(cells.map((cell) => `${id} ${cell.id}`));
  for (const entry of entries.value.filter(({ cell }) => cell && names.has(cell)).reverse()) {
    const job = await readJob(entry.id, entry.inputs).catch((): undefined => undefined);
    if (job) return { model: job.model, train: job.train, test: job.test };
  }
  return undefined;
}
