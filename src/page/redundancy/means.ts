/** The figures of every layer over a run, as curves and as a table. */
import type { RedundancyFigures } from '../../api';
import { toCsv } from '../csv';
import type { RedundancyCourse } from '../run/redundancy-course';

export type Quantity = keyof RedundancyFigures;

/** How curves of one quantity are told: relative to the start where that makes layers comparable. */
export const quantities: Record<Quantity, { label: string; isRelative: boolean }> = {
  divergence: { label: 'Mean KL divergence', isRelative: true },
  cosine: { label: 'Mean cosine', isRelative: false },
  effectiveRank: { label: 'Effective rank', isRelative: true },
};

/**
 * Steps, and of each layer the change since the start: in hundredths of what it was, or, of a quantity that may be about 0, the
 * difference. null where that is no number.
 */
export function changes({ points }: RedundancyCourse, quantity: Quantity): (number | null)[][] {
  const { isRelative } = quantities[quantity];
  const start = points[0]?.layers ?? [];
  const column = (layer: number) =>
    points.map(({ layers }) => {
      const [was, is] = [start[layer][quantity], layers[layer]?.[quantity]];
      const change = isRelative ? 100 * (is / was - 1) : is - was;
      return Number.isFinite(change) ? change : null;
    });
  return [points.map(({ step }) => step), ...start.map((_, layer) => column(layer))];
}

/** A row a look, three columns a layer. */
export function meansCsv({ before, points }: RedundancyCourse): string {
  const names = Object.keys(quantities) as Quantity[];
  const header = ['step', ...before.flatMap(({ name }) => names.map((one) => `${name} ${one}`))];
  const rows = points.map(({ step, layers }) => [
    step,
    ...layers.flatMap((layer) =>
      names.map((one) => (Number.isFinite(layer[one]) ? Number(layer[one].toPrecision(8)) : null)),
    ),
  ]);
  return toCsv(header, rows);
}
