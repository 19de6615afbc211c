/**
 * An experiment as a folder that PyTorch runs: what train.py is told in recipe.json. Networks are lists of layers, as the engine
 * has them; every cell has its settings, all of them decided.
 */
import { UserError } from '../errors';
import { type Cell, cellsOf, isSearched, settingsBeforeRate } from '../experiment/cells';
import type { Experiment, NamedArm } from '../experiment/experiment';
import { queueOrder } from '../experiment/queue';
import { Graph } from '../graph/graph';
import { type BranchedLayer, branchesOf } from '../model/branch-forms';
import { instantiate } from '../model/instantiate';
import type { Layer, Model, StateEntry } from '../model/model';
import type { Loaded } from '../run/load';
import { decideRate } from '../train/rate';
import type { RunSettings } from '../train/settings';
import { trainedModel } from '../train/trained-model';
import { recipeObstacle } from './obstacles';

/** A network as PyTorch is told of it. */
export interface RecipeModel {
  /**
   * what drops at random has the `key` that its numbers are drawn by, a convolution with branches the number of the value that they
   * sum up to
   */
  layers: (Layer & { key?: number; sum?: number })[];
  state: Pick<StateEntry, 'name' | 'shape' | 'role' | 'init'>[];
  logits: number;
}

/** A rate, or an arm's that is searched for, times a factor. */
export type RecipeRate = number | { arm: string; times: number };

export interface RecipeCell extends Pick<Cell, 'id' | 'kind' | 'arm' | 'seed' | 'from'> {
  /** the name of its model */
  model: string;
  rate: RecipeRate;
  /** without the rate */
  settings: Omit<RunSettings, 'lr'>;
}

const BASE = 'base';

/** A model without how its tensors lie in the engine's memory. */
export function recipeModel(model: Model, side: { height: number; width: number }): RecipeModel {
  const graph = new Graph();
  const x = graph.tensor('x', [2, side.height, side.width, model.input.channels], { role: 'input' });
  instantiate(model, graph, x, { training: true });
  const keys = graph.nodes
    .filter(({ op }) => op.name === 'dropout')
    .map(({ attrs }) => attrs as { key: number });
  let next = 0;
  const isDrawn = (layer: Layer) =>
    (layer.kind === 'dropout' || layer.kind === 'stochastic_depth') && layer.p > 0;
  return {
    layers: model.layers.map((layer, place) => {
      if (isDrawn(layer)) return { ...layer, key: keys[next++].key };
      if (layer.kind === 'conv' && layer.branches)
        return { ...layer, sum: sumOf(layer as BranchedLayer & Layer, model.layers.slice(place + 1)) };
      return layer;
    }),
    state: model.state.map(({ name, shape, role, init }) => ({ name, shape, role, init })),
    logits: model.logits,
  };
}

/** The value that a convolution and its branches sum up to, of the layers that follow it: as many sums as there are branches. */
function sumOf(conv: BranchedLayer & Layer, layers: readonly Layer[]): number {
  let left = branchesOf(conv).length;
  let sum = conv.id;
  for (const { kind, id, inputs } of layers) {
    if (left === 0) break;
    if (inputs[0] !== sum) continue;
    sum = id;
    if (kind === 'add') left--;
  }
  return sum;
}

/**
 * The cells of an experiment and the model of each arm.
 * @throws UserError where train.py cannot run some of the arms
 */
export function recipeCells(
  experiment: Experiment,
  { network, settings: decided }: Pick<Loaded, 'network' | 'settings'>,
): { cells: RecipeCell[]; models: Map<string, Model> } {
  const models = new Map<string, Model>();
  // train.py goes through them once
  const cells = queueOrder(cellsOf(experiment)).map((cell): RecipeCell => {
    const arm = experiment.arms.find(({ name }) => name === cell.arm);
    const settings = cellSettings(experiment, cell, decided);
    const model = arm?.name ?? BASE;
    if (!models.has(model)) models.set(model, trainedModel(network.model, settings, network.file));
    const { lr, ...rest } = settings;
    const { id, kind, seed, from } = cell;
    const rate = cell.lr ?? (arm ? rateOf(experiment, arm, lr) : lr);
    return {
      id,
      kind,
      ...(arm && { arm: arm.name }),
      seed,
      ...(from && { from }),
      model,
      rate,
      settings: rest,
    };
  });
  requireKnown(experiment, cells, models);
  return { cells, models };
}

function requireKnown(
  { arms }: Experiment,
  cells: readonly RecipeCell[],
  models: ReadonlyMap<string, Model>,
): void {
  const refused = new Map<string, string[]>();
  const reasons = new Map(
    cells.map(({ model, settings }) => [model, recipeObstacle(settings, models.get(model)!)]),
  );
  for (const [name, reason] of reasons)
    if (reason !== undefined) refused.set(reason, [...(refused.get(reason) ?? []), name]);
  if (refused.size === 0) return;
  const told = [...refused].map(([reason, names]) => `${names.join(', ')} (${reason})`).join('; ');
  const left = arms.map(({ name }) => name).filter((name) => reasons.get(name) === undefined);
  const advice = left.some((name) => reasons.has(name))
    ? `--arms ${left.join(',')} leaves them out`
    : 'change the settings that all arms share';
  throw new UserError(`The recipe cannot run ${told}: ${advice}.`);
}

/** A cell's settings: what was `auto` as it was decided for the images. */
function cellSettings(experiment: Experiment, cell: Cell, decided: RunSettings): RunSettings {
  const own = settingsBeforeRate(experiment, cell);
  const known = Object.fromEntries(
    Object.entries(own).map(([name, value]) => [
      name,
      value === 'auto' ? decided[name as keyof RunSettings] : value,
    ]),
  ) as unknown as RunSettings;
  const isNew = own.method === 'retrain';
  if (own.lr !== 'auto' || !isNew) return known;
  return { ...known, lr: decideRate('auto', { images: known.batch, isNew }) };
}

function rateOf(experiment: Experiment, arm: NamedArm, own: number): RecipeRate {
  if (arm.rate) {
    const other = experiment.arms.find(({ name }) => name === arm.rate!.of)!;
    const rate = rateOf(experiment, other, own);
    const { times } = arm.rate;
    return typeof rate === 'number' ? rate * times : { ...rate, times: rate.times * times };
  }
  return isSearched(experiment, arm)
    ? { arm: arm.name, times: 1 }
    : typeof arm.settings?.lr === 'number'
      ? arm.settings.lr
      : own;
}
