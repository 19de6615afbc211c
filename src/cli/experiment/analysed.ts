/** What `refocus analyse` looks at in an experiment's folder. */
import type { AnalyseJob, NamedSource } from '../../api';
import { UserError } from '../../errors';
import type { Context } from '../command';
import { modelFrom } from '../options';
import { prepare } from '../train-into';
import type { ExperimentFolder } from './folder';
import { configOf } from './run-cells';

/**
 * The base and of each arm the run of the first seed that has ended, with the images that the runs were tested on.
 * @throws UserError where no run has come to an end
 */
export async function experimentJob(
  folder: ExperimentFolder,
  context: Context,
): Promise<Pick<AnalyseJob, 'networks' | 'test' | 'train' | 'settings'>> {
  const ended = await folder.endedCells();
  const runs = ended.filter(({ cell }) => cell.kind === 'run');
  const firsts = runs.filter((run, i) => runs.findIndex(({ cell }) => cell.arm === run.cell.arm) === i);
  if (firsts.length === 0)
    throw new UserError(
      `${folder.path} has no run that has come to an end: there is nothing to analyse yet.`,
    );
  // a start of another arm's network is not the base
  const atBase = firsts.find(({ cell }) => cell.from === undefined || cell.from === 'base') ?? firsts[0];
  const { job } = await prepare(configOf(folder, atBase.cell, await folder.outcomes()), context);
  const networks: NamedSource[] = [];
  if (atBase.run.report.accuracy.base !== undefined) networks.push({ name: 'base', source: job.model });
  for (const { cell } of firsts)
    networks.push({
      name: cell.arm!,
      source: await modelFrom({ weights: folder.weightsOf(cell.id) }, context),
    });
  return { networks, test: job.test, train: job.train, settings: job.settings };
}
