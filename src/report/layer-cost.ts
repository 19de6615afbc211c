/** What refocusing a depthwise layer costs over its channels and its kernel, as a document and as figures. */
import type { LayerCost, MapCost } from '../run/layer-cost';
import { legend } from './chart';
import { bytes, count, operations, significant } from './format';
import { type Html, html } from './html';
import { plotSvg } from './plot';
import { documentOf } from './report';
import { table } from './run-sections';

export type CostQuantity = 'flops' | 'bytes' | 'memory';

export const costQuantities: Readonly<
  Record<CostQuantity, { title: string; text: (value: number) => string }>
> = {
  flops: { title: 'Floating-point operations that a map adds to a step (FLOP)', text: operations },
  bytes: { title: 'What a map has a step read and write (bytes)', text: bytes },
  memory: { title: 'GPU memory that a map takes (bytes)', text: bytes },
};

const FORMS = ['dense', 'factored'] as const;

const kernelsOf = (costs: readonly LayerCost[]): number[] => [...new Set(costs.map(({ kernel }) => kernel))];

/** Which line is whose: dense and factored maps of each kernel. */
export const costLines = (costs: readonly LayerCost[]): string[] =>
  kernelsOf(costs).flatMap((kernel) => FORMS.map((form) => `${form}, ${kernel} × ${kernel}`));

/** Both axes by powers: a dense map's cost grows with the square of the channels. */
export function costSvg(costs: readonly LayerCost[], quantity: CostQuantity): Html {
  const { title, text } = costQuantities[quantity];
  const names = costLines(costs);
  const lines = kernelsOf(costs).flatMap((kernel) => {
    const own = costs.filter((cost) => cost.kernel === kernel).sort((a, b) => a.channels - b.channels);
    return FORMS.map((form) => ({
      x: own.map(({ channels }) => Math.log2(channels)),
      y: own.map((cost) => Math.log10(cost[form][quantity])),
    }));
  });
  return plotSvg(
    lines.map((line, i) => ({ ...line, name: names[i] })),
    {
      title,
      across: 'channels',
      up: title.toLowerCase(),
      // the unit stands in the title
      format: (power) => text(10 ** power).replace(/(FLOP|B)$/, ''),
      formatAcross: (power) => (Number.isInteger(power) ? count(2 ** power) : ''),
    },
  );
}

/** A row a layer. */
export function costRows(costs: readonly LayerCost[]): { head: string[]; rows: string[][] } {
  const of = ({ trained, flops, bytes: moved, dispatches, memory }: MapCost, layerFlops: number) => [
    count(trained),
    operations(flops),
    `${significant((100 * flops) / layerFlops)} %`,
    bytes(moved),
    bytes(memory),
    String(dispatches),
  ];
  const head = FORMS.flatMap((form) =>
    ['numbers', 'work', 'of the layer', 'moved', 'memory', 'dispatches'].map((name) => `${form}: ${name}`),
  );
  return {
    head: ['channels', 'kernel', ...head],
    rows: costs.map((cost) => [
      String(cost.channels),
      `${cost.kernel} x ${cost.kernel}`,
      ...FORMS.flatMap((form) => of(cost[form], cost.layerFlops)),
    ]),
  };
}

/** @returns a whole HTML document */
export function costHtml(costs: readonly LayerCost[]): string {
  const [{ batch, size }] = costs;
  const maps = [...new Set(costs.map(({ mapKernel: k }) => `${k} × ${k}`))].join(' and ');
  const { head, rows } = costRows(costs);
  const body = html`<h1>What a map costs</h1>
<p>A depthwise layer that is refocused, against the same layer fine-tuned: what a training step takes more, by the plans of both. ${batch} images of ${size} × ${size} pixels, maps of ${maps}, never larger than the kernel. “Of the layer”: against the layer’s own convolution, forwards and backwards. Merged, a map costs nothing.</p>
${legend(costLines(costs))}${(Object.keys(costQuantities) as CostQuantity[]).map((quantity) => costSvg(costs, quantity))}
<h2>Figures</h2>${table(head, rows, 'wide')}
<p class="hint">Dense: the map’s C × C × k × k numbers train. Factored: exact for SGD, C × K × K numbers train in their stead. A step’s time is not told by a plan: refocus experiment cost measures it.</p>`;
  return documentOf('What a map costs · Refocus', body);
}
