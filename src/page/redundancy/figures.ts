/** Figures of the view as documents and tables, for whoever writes about them. */
import type { GramSpectrum, LayerRedundancy } from '../../api';
import type { PlotLine } from '../../report/plot';
import { toCsv } from '../csv';
import { significant } from '../format';
import { colourOf, upTo } from './colours';

/** Lines as a report draws them; its script comes with the first figure that is saved. */
export async function plotFile(
  lines: readonly PlotLine[],
  words: { title: string; across: string; up: string },
): Promise<string> {
  const [{ plotSvg }, { svgFile }] = await Promise.all([
    import('../../report/plot'),
    import('../../report/svg-file'),
  ]);
  return svgFile(
    plotSvg(lines, words),
    words.title,
    lines.map(({ name }) => name),
  );
}

/** Of each direction, the share of the largest step; of kernels that are all zero there is no step. */
export const shares = ({ eigenvalues }: GramSpectrum): number[] =>
  Array.from(eigenvalues, (value) => value / (eigenvalues[0] || 1));

export const gramPlot = (gram: GramSpectrum, layer: string): Promise<string> =>
  plotFile([{ name: layer, x: shares(gram).map((_, k) => k + 1), y: shares(gram) }], {
    title: `${layer}: what refocusing can change`,
    across: 'Direction',
    up: 'Share of the largest step',
  });

/** A row a direction, with the pattern that it adds to a kernel where that is known. */
export function gramCsv(gram: GramSpectrum): string {
  const { eigenvalues, eigenkernels } = gram;
  const taps = eigenkernels ? eigenvalues.length : 0;
  const pattern = (k: number) => Array.from({ length: taps }, (_, t) => eigenkernels![k * taps + t]);
  return toCsv(
    ['direction', 'eigenvalue', 'share', ...pattern(0).map((_, t) => `tap_${t}`)],
    shares(gram).map((share, k) => [k + 1, eigenvalues[k], share, ...pattern(k)]),
  );
}

type Skeleton = Pick<LayerRedundancy, 'name' | 'shape' | 'skeleton'>;

/** A row a tap: the sum of |W| before and, where there is one, now. */
export function skeletonCsv(before: Skeleton, now?: Skeleton): string {
  const [, , , width] = before.shape;
  return toCsv(
    ['row', 'column', 'before', 'now'],
    Array.from(before.skeleton, (value, t) => [Math.floor(t / width), t % width, value, now?.skeleton[t]]),
  );
}

const TAP = 48;
const HEAD = 46;

/** Both side by side, on one scale. */
export async function skeletonFile(before: Skeleton, now?: Skeleton): Promise<string> {
  const { html } = await import('../../report/html');
  const [, , height, width] = before.shape;
  const states = now ? [before, now] : [before];
  const scale = upTo(Math.max(...states.flatMap(({ skeleton }) => [...skeleton])) || 1);
  const wide = (width + 1) * TAP;
  const cells = states.map(({ skeleton }, i) =>
    Array.from(skeleton, (value, t) => {
      const { fill, ink } = colourOf(value, scale);
      const [x, y] = [i * wide + (t % width) * TAP, HEAD + Math.floor(t / width) * TAP];
      return html`<rect x="${x}" y="${y}" width="${TAP}" height="${TAP}" fill="${fill}"/><text x="${x + TAP / 2}" y="${y + TAP / 2 + 4}" fill="${ink}" text-anchor="middle">${significant(value)}</text>`;
    }),
  );
  const heads = states.map(
    (_, i) => html`<text x="${i * wide}" y="${HEAD - 8}">${i === 0 ? 'before' : 'now'}</text>`,
  );
  return html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${Math.max(320, states.length * wide)} ${HEAD + height * TAP}" font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="#fff"/><text y="16" font-size="14">${before.name}: sum of |W| at each tap</text>${heads}${cells}</svg>
`.text;
}
