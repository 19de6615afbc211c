import type { AnalysisResults, LayerFigures, WeightsResult } from '../../run/analyse/result';
import { legend } from '../chart';
import { significant } from '../format';
import { type Html, html } from '../html';
import { plotSvg } from '../plot';
import { named, table } from '../run-sections';
import { cellsSvg } from './matrix';
import { figure, folded, mean, sectionHtml } from './section';

/** Layers whose skeletons are drawn at most, evenly spaced. */
const MOST_DRAWN = 8;

export function weightSections(
  names: readonly string[],
  { weights }: Partial<AnalysisResults>,
): Html | undefined {
  if (!weights || weights.networks[0].length === 0) return undefined;
  return html`${redundancy(names, weights)}${weights.changes.length > 0 && changes(names, weights)}${skeletons(names, weights)}${spectra(names, weights)}`;
}

const overLayers = (
  networks: readonly LayerFigures[][],
  names: readonly string[],
  of: (layer: LayerFigures) => number,
) =>
  names.map((name, i) => ({
    name,
    x: networks[i].map((_, layer) => layer + 1),
    y: networks[i].map(of),
  }));

function redundancy(names: readonly string[], { networks }: WeightsResult): Html {
  const plot = (title: string, up: string, of: (layer: LayerFigures) => number) =>
    plotSvg(overLayers(networks, names, of), {
      title,
      across: 'spatial convolution, in order',
      up,
    });
  const head = [
    'Layer',
    ...names.flatMap((name) =>
      ['KL', 'cosine', 'rank'].map((what) => html`${named(name)}<small>${what}</small>`),
    ),
  ];
  const rows = networks[0].map(({ name, shape }, layer) => [
    html`${named(name)}<small>${shape.join(' × ')}</small>`,
    ...networks.flatMap((all) => {
      const { divergence, cosine, effectiveRank } = all[layer];
      return [figure(divergence), figure(cosine), figure(effectiveRank)];
    }),
  ]);
  const means = names.map((name, i) => `${name} ${significant(mean(networks[i].map((l) => l.divergence)))}`);
  return sectionHtml({
    title: 'Redundancy of kernels',
    shows: `How alike the kernels of a layer are: the mean Kullback-Leibler divergence between their softmaxes (nats; 0: all the same), the mean cosine, and how many directions they spread over. Mean divergence over the layers: ${means.join(', ')}.`,
    not: 'whether less redundancy makes a better network; a divergence grows with the size of weights alone, a cosine does not.',
    body: html`${legend(names)}${plot('Mean divergence', 'nats', (l) => l.divergence)}${plot('Mean cosine', 'cosine', (l) => l.cosine)}${plot('Effective rank', 'directions', (l) => l.effectiveRank ?? Number.NaN)}${folded('All layers', table(head, rows, 'wide'))}`,
  });
}

function changes(names: readonly string[], { changes: all }: WeightsResult): Html {
  const others = names.slice(1);
  const lines = (of: (change: WeightsResult['changes'][number]['layers'][number]) => number) =>
    others.map((name, i) => ({
      name,
      x: all[i].layers.map((_, layer) => layer + 1),
      y: all[i].layers.map(of),
    }));
  const head = [
    'Layer',
    ...others.flatMap((name) =>
      ['distance', 'relative', 'angle'].map((what) => html`${named(name)}<small>${what}</small>`),
    ),
  ];
  const row = (
    first: string | Html,
    of: (i: number) => { distance: number; relative: number; angle: number },
  ) => [
    first,
    ...all.flatMap((_, i) => {
      const { distance, relative, angle } = of(i);
      return [figure(distance), figure(relative), figure(angle, (v) => `${v.toFixed(1)}°`)];
    }),
  ];
  const rows = [
    row('All weights', (i) => all[i].whole),
    ...all[0].layers.map(({ name, shape }, layer) =>
      row(html`${named(name)}<small>${shape.join(' × ')}</small>`, (i) => all[i].layers[layer]),
    ),
  ];
  const whole = others.map((name, i) => `${name} by ${significant(all[i].whole.relative)} of their length`);
  return sectionHtml({
    title: `Distance from ${names[0]}`,
    shows: `How far each layer’s weights have moved and turned. All weights together: ${whole.join(', ')}.`,
    not: 'what a move does: where a batch norm follows, a weight may change its length without changing the network.',
    body: html`${legend(others)}${plotSvg(
      lines((c) => c.angle),
      { title: 'Angle', across: 'layer with a weight, in order', up: 'degrees', range: [0, 0] },
    )}${folded('All layers', table(head, rows, 'wide'))}`,
  });
}

function skeletons(names: readonly string[], { networks }: WeightsResult): Html {
  const count = Math.min(MOST_DRAWN, networks[0].length);
  const layers = Array.from({ length: count }, (_, i) =>
    Math.round((i * (networks[0].length - 1)) / Math.max(1, count - 1)),
  );
  const figures = layers.map((layer) => {
    const { name, shape } = networks[0][layer];
    const top = Math.max(...networks.flatMap((all) => all[layer].skeleton));
    const picture = ({ skeleton }: LayerFigures, network: string) => {
      const rows = Array.from({ length: shape[2] }, (_, row) =>
        skeleton.slice(row * shape[3], (row + 1) * shape[3]),
      );
      return cellsSvg(rows, `${name} of ${network}: ${skeleton.map(significant).join(', ')}`, {
        low: 0,
        high: top,
      });
    };
    return html`<figure><figcaption>${named(name)}</figcaption><span>${names.map((network, i) => picture(networks[i][layer], network))}</span></figure>`;
  });
  return sectionHtml({
    title: 'Skeletons of kernels',
    shows: `Where in a kernel the weight lies: the mean of |W| at each tap, of ${names.join(', ')} from left to right; the lighter, the more, on one scale a layer.`,
    not: 'signs: what is large at a tap may cancel over the channels.',
    body: html`<div class="maps skeletons">${figures}</div>`,
  });
}

function spectra(names: readonly string[], { networks }: WeightsResult): Html | false {
  const layers = networks[0].filter(({ gram }) => gram);
  if (layers.length === 0) return false;
  const head = [
    'Layer',
    'Kernel of the map',
    ...names.flatMap((name) =>
      ['directions', 'largest', 'smallest'].map((what) => html`${named(name)}<small>${what}</small>`),
    ),
  ];
  const rows = layers.map(({ name, gram }) => [
    named(name),
    `${gram!.mapKernel} × ${gram!.mapKernel}`,
    ...networks.flatMap((all) => {
      const found = all.find((layer) => layer.name === name)?.gram;
      return [figure(found?.directions), figure(found?.eigenvalues[0]), figure(found?.eigenvalues.at(-1))];
    }),
  ]);
  return sectionHtml({
    title: 'What refocusing can change',
    shows:
      'A step of SGD through a refocusing map moves a kernel as fine-tuning would, times the Gram matrix of the layer’s frozen kernels: along each of its eigenvectors by the eigenvalue. Directions say over how many of the kernel’s taps the eigenvalues are spread.',
    not: 'whether those are the directions that a network wants to move in.',
    body: html`${legend(names)}${plotSvg(
      overLayers(networks, names, (layer) => layer.gram?.directions ?? Number.NaN),
      {
        title: 'Directions of the Gram matrix',
        across: 'spatial convolution, in order',
        up: 'directions',

        range: [1, 1],
      },
    )}${folded('All layers', table(head, rows, 'wide'))}`,
  });
}
