/** What the runs of an experiment train: one network and the same images for all, whatever the page is set to meanwhile. */
import type { TrainJob } from '../../api';
import { EXAMPLE_SET, hasObjects, isBuiltinSet } from '../../data/builtin/builtin';
import { UserError } from '../../errors';
import type { Cell } from '../../experiment/cells';
import type { Experiment } from '../../experiment/experiment';
import { namedNetwork } from '../../run/network-options';
import { readData, readModel } from '../input/sources';
import { entries } from '../saved/entries';
import { readJob } from '../saved/inputs';
import { config } from '../settings/config';
import type { KeptExperiment } from './kept';

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
  return {
    ...own,
    model: { kind: 'file', files: [{ path: `${cell.from.replace('/', '-')}.safetensors`, blob: start }] },
  };
}

/** Of the experiments of this page. */
const inputs = new Map<string, Inputs>();

/** The network and images of step 1 as they were when it was begun, or those of the experiment where it names built-in ones. */
async function inputsOf(kept: KeptExperiment): Promise<Inputs> {
  const builtin = builtinInputs(kept);
  if (builtin) return builtin;
  const found = inputs.get(kept.id) ?? (await keptInputs(kept)) ?? { model: readModel(), ...readData() };
  inputs.set(kept.id, found);
  return found;
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

/** Those of one of its runs, which an earlier page has kept. */
async function keptInputs({ id, experiment: { base } }: KeptExperiment): Promise<Inputs | undefined> {
  // where the base is trained first, the other runs start from that and not from the experiment's network
  const prefix = base.train ? `${id} base` : `${id} `;
  for (const entry of entries.value.filter(({ cell }) => cell?.startsWith(prefix))) {
    const job = await readJob(entry.id, entry.inputs).catch((): undefined => undefined);
    if (job) return { model: job.model, train: job.train, test: job.test };
  }
  return undefined;
}
