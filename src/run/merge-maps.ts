import { UserError } from '../errors';
import type { StateDict } from '../io/tensor';
import { mergeState } from '../model/merge';
import { convolutions, type Model } from '../model/model';
import { mapsOf, withRefConv } from '../model/refconv';
import { isMap, layerOf, type Unmerged } from './unmerged';

/**
 * Merges the maps of a state, each by the kernel that its shape has, with the identity term.
 * @throws UserError on a map that is none of its convolution
 */
export async function mergeMaps(
  state: StateDict,
  plain: Model,
): Promise<{ state: StateDict; unmerged?: Unmerged }> {
  const maps: StateDict = new Map([...state].filter(([name]) => isMap(name)));
  if (maps.size === 0) return { state };
  const bases: StateDict = new Map();
  let merged: StateDict = new Map([...state].filter(([name]) => !isMap(name)));
  for (const [name, map] of maps) {
    const layer = layerOf(name);
    const basis = state.get(`${layer}.weight`);
    const model = modelWith(plain, layer, map.shape);
    if (!basis || !model) {
      throw new UserError(
        `The tensor ${name} (${map.shape.join(' x ')}) is no map of the convolution ${layer}: export the network again.`,
      );
    }
    bases.set(`${layer}.weight`, basis);
    merged = await mergeState(model, new Map([...merged, [name, map]]));
  }
  return { state: merged, unmerged: { bases, maps } };
}

/** The model with a map of that shape at one convolution; undefined where it has no such convolution or map. */
function modelWith(plain: Model, layer: string, shape: readonly number[]): Model | undefined {
  const mapKernel = shape[3];
  if (!convolutions(plain).some(({ name }) => name === layer) || !(mapKernel % 2 === 1)) return undefined;
  const model = withRefConv(plain, { ...ONE_MAP, layers: [layer], mapKernel });
  return mapsOf(model)[0].shape.join() === shape.join() ? model : undefined;
}

const ONE_MAP = { identity: true, trainBasis: false, path: 'dense', startsNonZero: true } as const;
