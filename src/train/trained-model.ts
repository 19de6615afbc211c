import { UserError } from '../errors';
import { bareConvolutions, withAddedNorms } from '../model/added-norms';
import { convolutions, type Model } from '../model/model';
import { withPrecondition } from '../model/precondition';
import { isRefConv, type RefConvOptions, withRefConv } from '../model/refconv';
import { branchObstacle, withBranches } from '../model/structural';
import { frozenParameters, withFrozen } from './freeze';
import type { TrainSettings } from './settings';

/**
 * The model as a run trains it: with fresh batch norms where the settings want them, with RefConvs, preconditioners
 * or branches where the method has them, and with constants where parameters are frozen.
 * @param name what messages call the network
 * @throws UserError where the settings and the model do not fit
 */
export function trainedModel(plain: Model, s: TrainSettings, name = plain.name): Model {
  if (s.norms && bareConvolutions(plain).length === 0)
    throw new UserError(
      `${name} has no convolution that a batch norm was folded into (one with a bias and no norm behind it): leave the fresh batch norms out (norms).`,
    );
  const model = s.norms ? withAddedNorms(plain) : plain;
  return withFrozen(withMethod(model, s, name), frozenParameters(model, s, name), s);
}

function withMethod(model: Model, s: TrainSettings, name: string): Model {
  if (s.method === 'precondition') {
    const { preconditioner: matrix, mapKernel, seed } = s;
    return withPrecondition(model, { layers: layersOf(model, s, name), matrix, mapKernel, seed });
  }
  if (s.method === 'branches') return withBranches(model, branchLayers(model, s, name), s.branches);
  const options = refconvOptions(model, s, name);
  return options ? withRefConv(model, options) : model;
}

/** The convolutions of the settings' choice that branches can stand beside; those named one by one must all be such. */
function branchLayers(model: Model, s: TrainSettings, name: string): ReadonlySet<string> {
  const choice = layersOf(model, s, name);
  const chosen = convolutions(model).filter((conv) => isRefConv(conv, choice));
  const obstacles = chosen.map((conv) => branchObstacle(model, conv, s.branches));
  const at = obstacles.findIndex((obstacle) => obstacle !== undefined);
  if (at >= 0 && (Array.isArray(s.layers) || obstacles.every((obstacle) => obstacle !== undefined)))
    throw new UserError(
      `No branches can stand beside ${chosen[at].name} of ${name}: ${obstacles[at]}. Choose other layers.`,
    );
  return new Set(chosen.filter((_, i) => obstacles[i] === undefined).map((conv) => conv.name));
}

/** The run's RefConv, with `auto` resolved: depthwise where the network has such layers, else all spatial ones. */
export function refconvOptions(
  model: Model,
  s: TrainSettings,
  name = model.name,
): RefConvOptions | undefined {
  if (s.method !== 'refocus' && s.method !== 'joint') return undefined;
  if (!s.identity && s.mapInit === 'zeros') {
    throw new UserError(
      'Without the identity term a zero start makes every kernel zero: start the maps from Kaiming.',
    );
  }
  if (s.path === 'factored' && (s.optimizer !== 'sgd' || s.method === 'joint')) {
    throw new UserError(
      'The factored path is exact only for SGD on a frozen basis: choose path "dense" or "auto".',
    );
  }
  return {
    layers: layersOf(model, s, name),
    mapKernel: s.mapKernel,
    identity: s.identity,
    trainBasis: s.method === 'joint',
    rebased: s.method === 'refocus' && s.rounds > 1,
    path: s.path === 'auto' && s.optimizer !== 'sgd' ? 'dense' : s.path,
    startsNonZero: s.mapInit !== 'zeros',
  };
}

/** The settings' choice of layers, which takes one convolution at least; what is frozen by itself gets no map. */
function layersOf(model: Model, s: TrainSettings, name: string): RefConvOptions['layers'] {
  const { layers } = s;
  const frozen = s.freeze === 'all-but-maps' ? new Set() : frozenParameters(model, s, name);
  const convs = convolutions(model);
  const takes = (choice: RefConvOptions['layers']) => convs.some((conv) => isRefConv(conv, choice));
  const auto = takes('depthwise') ? 'depthwise' : 'spatial';
  const chosen = layers === 'auto' ? auto : layers;
  if (Array.isArray(chosen)) {
    const unknown = chosen.find((layer) => !convs.some((conv) => conv.name === layer));
    if (unknown !== undefined)
      throw new UserError(`${name} has no convolution "${unknown}": see its names with inspect.`);
  }
  if (!takes(chosen))
    throw new UserError(`${name} has no ${String(chosen)} convolution to refocus: choose other layers.`);
  const free = convs.filter((conv) => isRefConv(conv, chosen) && !frozen.has(`${conv.name}.weight`));
  if (free.length === 0) {
    throw new UserError(
      'Every convolution to refocus is frozen: freeze less, or choose the method finetune for what is left.',
    );
  }
  return frozen.size > 0 ? free.map((conv) => conv.name) : chosen;
}
