/** Which kernels of the loaded network the animation can show. */
import type { LayerRedundancy } from '../../api';
import type { RedundancyCourse } from '../run/redundancy-course';
import type { MapGroup } from './refocusing';

export interface ShownLayer {
  layer: LayerRedundancy;
  /** P, kernels that the map of one of them reads */
  perGroup: number;
  mapKernel: number;
}

/** Layers of which every kernel that a map reads is at hand. */
export function layersToShow({ before, grams }: Pick<RedundancyCourse, 'before' | 'grams'>): ShownLayer[] {
  return before.flatMap((layer) => {
    const gram = grams.get(layer.name);
    if (!gram) return [];
    const perGroup = layer.planes / gram.groups;
    const isWhole = layer.drawn.length === layer.planes;
    return isWhole || perGroup === 1 ? [{ layer, perGroup, mapKernel: gram.mapKernel }] : [];
  });
}

/** The kernels that the map of the row-th kernel reads, and which of them it is. */
export function groupOf(
  { layer, perGroup, mapKernel }: ShownLayer,
  row: number,
): { group: MapGroup; own: number } {
  const [, , height, width] = layer.shape;
  const taps = height * width;
  const first = row - (row % perGroup);
  const weights = layer.kernels.subarray(first * taps, (first + perGroup) * taps);
  return { group: { weights, planes: perGroup, height, width, mapKernel }, own: row - first };
}
