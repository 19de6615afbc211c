import type { AnalysisResults, LandscapeResult, SharpnessResult } from '../../run/analyse/result';
import { legend } from '../chart';
import { percent, significant, tick } from '../format';
import { type Html, html } from '../html';
import { plotSvg } from '../plot';
import { named, table } from '../run-sections';
import { contoursSvg, lossScale, scaleBar } from './matrix';
import { figure, folded, sectionHtml } from './section';

export function lossSections(
  names: readonly string[],
  { sharpness, landscape }: Partial<AnalysisResults>,
): Html {
  return html`${sharpness && sharpnessSection(names, sharpness)}${landscape && landscapeSection(names, landscape)}${landscape && landscape.paths.length > 0 && pathSection(names, landscape)}`;
}

function sharpnessSection(names: readonly string[], { networks }: SharpnessResult): Html {
  const rows = networks.map(({ value, residual, products, converged }, i) => [
    named(names[i]),
    figure(value),
    figure(residual),
    `${products}${converged ? '' : ', not yet still'}`,
  ]);
  return sectionHtml({
    title: 'Sharpness',
    shows:
      'The largest eigenvalue of the Hessian of the loss over all parameters: how steeply the loss curves in its steepest direction. By power iteration, each product with the Hessian from two gradients beside the network; batch norms by their running statistics. The residual says how far the last vector was from an eigenvector.',
    not: 'how well a network generalises: scaling one layer up and the next down changes this number and not the network.',
    body: table(['Network', 'Largest eigenvalue', 'Residual', 'Products'], rows),
  });
}

function landscapeSection(names: readonly string[], { line, losses, grid }: LandscapeResult): Html {
  const { high } = lossScale(losses.flat());
  const clipped = names.map((name, i) => ({
    name,
    x: line,
    y: losses[i].map((v) => Math.min(v ?? high, high)),
  }));
  const scale = grid && lossScale(grid.losses.flat(2));
  const rows = line.map((step, i) => [tick(step), ...losses.map((all) => figure(all[i]))]);
  return sectionHtml({
    title: 'Loss landscape',
    shows: `The loss around each network along one random direction and over two. A step of 1 changes every filter by its own length (filter-normalised; biases and batch norms do not move, running statistics stay). Images and random numbers are the same for all.${losses.flat().some((v) => !(v <= high)) ? ` Losses above ${significant(high)} are drawn as that.` : ''}`,
    not: 'all the other directions: two of so many say how wide the valley is on average, not how steep it is where it is steepest.',
    body: html`${legend(names)}${plotSvg(clipped, { title: 'Along one direction', across: 'step, in lengths of each filter', up: 'loss', marks: [0] })}${
      grid &&
      scale &&
      html`<div class="maps wide-maps">${grid.losses.map((surface, i) => html`<figure><figcaption>${named(names[i])}</figcaption>${contoursSvg(surface, `loss of ${names[i]} over two directions, from ${tick(grid.steps[0])} to ${tick(grid.steps.at(-1)!)}`, scale)}</figure>`)}</div><p>Loss ${scaleBar(scale)}; from ${tick(grid.steps[0])} to ${tick(grid.steps.at(-1)!)} along both directions, the network in the middle.</p>`
    }${folded('The losses along one direction', table(['Step', ...names.map(named)], rows))}`,
  });
}

function pathSection(names: readonly string[], { paths }: LandscapeResult): Html {
  const others = names.slice(1);
  const lines = (key: 'losses' | 'accuracies') =>
    others.map((name, i) => ({ name, x: paths[i].steps, y: paths[i][key] }));
  const barriers = paths.map(({ steps, losses }) => {
    const at = (t: number) =>
      losses[steps.reduce((best, s, i) => (Math.abs(s - t) < Math.abs(steps[best] - t) ? i : best), 0)];
    const between = losses.filter((_, i) => steps[i] >= 0 && steps[i] <= 1);
    return Math.max(...between) - Math.max(at(0), at(1));
  });
  return sectionHtml({
    title: `From ${names[0]} to the others`,
    shows: `The loss on the straight line between two networks, running statistics included. A hill between them says that they lie in different valleys. Highest loss between them, above the worse of both ends: ${others.map((name, i) => `${name} ${significant(Math.max(0, barriers[i]))}`).join(', ')}.`,
    not: 'curved ways, on which most networks of one architecture can be joined; between them statistics are interpolated, not measured anew.',
    body: html`${legend(others)}${plotSvg(lines('losses'), { title: 'Loss', across: `0: ${names[0]}, 1: the other`, up: 'loss', marks: [0, 1] })}${plotSvg(lines('accuracies'), { title: 'Accuracy', across: `0: ${names[0]}, 1: the other`, up: 'accuracy', format: (v) => percent(v, 0), marks: [0, 1] })}`,
  });
}
