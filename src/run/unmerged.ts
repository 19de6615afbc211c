/** State dicts with refocusing maps: `<conv>.weight` is a basis W_b, `<conv>.convmap.weight` its map W_r. */
import { UserError } from '../errors';
import type { StateDict } from '../io/tensor';
import { mergeState } from '../model/merge';
import { convolutions, type Model } from '../model/model';
import { mapsOf, REFCONV, withRefConv } from '../model/refconv';
import type { TrainSettings } from '../train/settings';

/** Bases and their maps, under the model's names. */
export interface Unmerged {
  bases: StateDict;
  maps: StateDict;
}

const MAP = REFCONV.map('');

export const isMap = (name: string): boolean => name.endsWith(MAP);

const layerOf = (map: string): string => map.slice(0, -MAP.length);

/**
 * Merges the maps of a state, each by the kernel that its shape has, with the identity term.
 * @throws UserError on a map that is none of its convolution
 */
export function mergeMaps(state: StateDict, plain: Model): { state: StateDict; unmerged?: Unmerged } {
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
    merged = mergeState(model, new Map([...merged, [name, map]]));
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

/** Settings of a run that goes on from maps: on the same layers, unless others are chosen. */
export function continuing<T extends TrainSettings>(settings: T, unmerged: Unmerged | undefined): T {
  if (!unmerged || settings.layers !== 'auto') return settings;
  return { ...settings, layers: [...unmerged.maps.keys()].map(layerOf) };
}

/**
 * Bases and maps that a model starts from, in the place of merged kernels.
 * @throws UserError where the model's maps have another kernel
 */
export function startingMaps(model: Model, { bases, maps }: Unmerged, file: string): StateDict {
  const start: StateDict = new Map();
  for (const { name, shape } of mapsOf(model)) {
    const map = maps.get(name);
    if (!map) continue;
    if (map.shape.join() !== shape.join()) {
      throw new UserError(
        `The maps of ${file} have a kernel of ${map.shape[3]}, the run's ${shape[3]}: choose map kernel ${map.shape[3]}, or merge them first (refocus merge).`,
      );
    }
    const basis = `${layerOf(name)}.weight`;
    start.set(basis, bases.get(basis)!).set(name, map);
  }
  return start;
}
