/** State dicts with refocusing maps: `<conv>.weight` is a basis W_b, `<conv>.convmap.weight` its map W_r. */
import { UserError } from '../errors';
import type { StateDict } from '../io/tensor';
import type { Model } from '../model/model';
import { mapsOf, REFCONV } from '../model/refconv';
import type { TrainSettings } from '../train/settings';

/** Bases and their maps, under the model's names. */
export interface Unmerged {
  bases: StateDict;
  maps: StateDict;
}

const MAP = REFCONV.map('');

export const isMap = (name: string): boolean => name.endsWith(MAP);

export const layerOf = (map: string): string => map.slice(0, -MAP.length);

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
