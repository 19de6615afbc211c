import { UserError } from '../errors';
import { headEntries } from '../model/heads';
import type { Model } from '../model/model';
import { refconvs } from '../model/refconv';
import type { TrainSettings } from './settings';

/**
 * Names of a plain network's parameters that do not train: all but the head's, those of normalisations, all, or those that
 * patterns name.
 * @param name what messages call the network
 * @throws UserError where a pattern names nothing
 */
export function frozenParameters(
  model: Model,
  { freeze }: Pick<TrainSettings, 'freeze'>,
  name = model.name,
): ReadonlySet<string> {
  const parameters = model.state.filter(({ role }) => role === 'parameter').map((entry) => entry.name);
  if (Array.isArray(freeze)) return new Set(freeze.flatMap((pattern) => named(parameters, pattern, name)));
  const head = headEntries(model);
  const norms = normEntries(model);
  const isFrozen: Record<typeof freeze, (parameter: string) => boolean> = {
    none: () => false,
    backbone: (parameter) => !head.has(parameter),
    norms: (parameter) => norms.has(parameter),
    'all-but-maps': () => true,
  };
  return new Set(parameters.filter(isFrozen[freeze]));
}

/** Weights and biases of norms. */
const normEntries = ({ layers }: Model): ReadonlySet<string> =>
  new Set(
    layers.flatMap((layer) =>
      layer.kind === 'batch_norm' || layer.kind === 'layer_norm' || layer.kind === 'global_response_norm'
        ? [`${layer.name}.weight`, `${layer.name}.bias`]
        : [],
    ),
  );

function named(parameters: readonly string[], pattern: string, name: string): string[] {
  const found = parameters.filter((parameter) => holders(parameter).some((part) => matches(part, pattern)));
  if (found.length > 0) return found;
  const example = parameters.slice(0, 3).join(', ');
  throw new UserError(
    `${name} has no parameter that "${pattern}" names, to freeze it: its parameters are ${example} and so on.`,
  );
}

/** A parameter's name and those of the modules that hold it. */
const holders = (parameter: string): string[] => {
  const parts = parameter.split('.');
  return parts.map((_, i) => parts.slice(0, i + 1).join('.'));
};

/** Whether a whole name is as the pattern has it, where `*` stands for any characters. */
function matches(name: string, pattern: string): boolean {
  const [start, ...rest] = pattern.split('*');
  const end = rest.pop();
  if (end === undefined) return name === pattern;
  if (!name.startsWith(start) || !name.endsWith(end)) return false;
  let at = start.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= name.length - end.length;
}

/**
 * The model with these parameters as constants: they are not differentiated, take no memory of the optimiser's, and a batch
 * norm of such a weight and bias is the same function in training as in evaluation. A frozen backbone drops no branches
 * either.
 * @throws UserError where nothing is left to train
 */
export function withFrozen(
  model: Model,
  frozen: ReadonlySet<string>,
  { freeze }: Pick<TrainSettings, 'freeze'>,
): Model {
  if (frozen.size === 0) return model;
  const state = model.state.map((entry) =>
    frozen.has(entry.name) && entry.role === 'parameter' ? { ...entry, role: 'constant' as const } : entry,
  );
  if (state.every(({ role }) => role !== 'parameter') && refconvs(model).length === 0) {
    throw new UserError(
      freeze === 'all-but-maps'
        ? 'Nothing is left to train: "all-but-maps" needs a method with maps, refocus or joint, or precondition.'
        : 'Nothing is left to train: freeze less.',
    );
  }
  if (freeze !== 'backbone') return { ...model, state };
  const layers = model.layers.map((layer) =>
    layer.kind === 'stochastic_depth' ? { ...layer, p: 0 } : layer,
  );
  return { ...model, state, layers };
}
