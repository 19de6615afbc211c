/** What networks see in test images, beside what is there. */
import type { ExperimentResults } from '../experiment/results';
import type { Picture, Pictures, Seen } from '../run/pictures';
import { type Html, html } from './html';
import { rgbUri } from './png';
import { named } from './run-sections';

/** Of the classes in turn. */
const COLOURS = [
  [230, 60, 60],
  [60, 140, 255],
  [255, 205, 40],
  [60, 205, 100],
  [225, 90, 230],
  [40, 215, 215],
] as const;

const colourOf = (label: number) => COLOURS[label % COLOURS.length];
const css = (label: number): string => `rgb(${colourOf(label).join()})`;

/** How much of a pixel's colour is its class's. */
const TINT = 0.65;

/** A row an image: itself, what is there, and what the base and each arm see in it. */
export function picturesSection(
  { arms }: ExperimentResults,
  pictures: ReadonlyMap<string, Pictures>,
): Html | undefined {
  const drawn = arms.filter(({ arm }) => pictures.has(arm));
  const first = drawn[0] && pictures.get(drawn[0].arm);
  if (!first) return undefined;
  const base = drawn.map(({ arm }) => pictures.get(arm)!).find(({ images }) => images[0]?.base);
  const rows = first.images.map((image, i) => {
    const seen: [string, Seen | undefined][] = [
      ['there', image.truth],
      ...(base ? [['Base', base.images[i]?.base] satisfies [string, Seen | undefined]] : []),
      ...drawn.map(({ arm, label }): [string, Seen | undefined] => [
        label,
        pictures.get(arm)!.images[i]?.last,
      ]),
    ];
    const figure = (name: string, one: Seen | undefined) =>
      html`<figure><figcaption>${named(name)}</figcaption>${picture(first, image, one, `image ${i + 1}, ${name}`)}</figure>`;
    return html`<div class="maps arms">${figure('image', undefined)}${seen.map(([name, one]) => one && figure(name, one))}</div>`;
  });
  const hasBoxes = first.images.some(({ truth }) => truth.boxes);
  const legend = first.classes.map(
    (name, label) =>
      html`<li><svg viewBox="0 0 12 12"><rect width="12" height="12" fill="${css(label)}"/></svg>${named(name)}</li>`,
  );
  return html`<h2>What the networks see</h2><ul class="legend swatches">${legend}</ul>${rows}<p class="hint">The first test images; of each arm the network after the last step with the first seed.${hasBoxes ? ' Boxes are those that a network is sure of by 30 % or more.' : ''}</p>`;
}

function picture(
  { width, height }: Pictures,
  { pixels }: Picture,
  seen: Seen | undefined,
  name: string,
): Html {
  const uri = rgbUri(seen?.mask ? tinted(pixels, seen.mask) : pixels, width, height);
  const boxes = (seen?.boxes ?? []).map(
    ({ label, score = 1, left, top, right, bottom }) =>
      html`<rect x="${left}" y="${top}" width="${Math.max(0, right - left)}" height="${Math.max(0, bottom - top)}" fill="none" stroke="${css(label)}" stroke-width="${(0.3 + 0.7 * score).toFixed(2)}"/>`,
  );
  return html`<svg class="seen" viewBox="0 0 ${width} ${height}" role="img" aria-label="${name}"><image href="${uri}" width="${width}" height="${height}"/>${boxes}</svg>`;
}

/** Pixels of a class in its colour. */
function tinted(pixels: Uint8Array, mask: Uint8Array): Uint8Array {
  return pixels.map((value, i) => {
    const label = mask[Math.floor(i / 3)];
    return label === 0 ? value : (1 - TINT) * value + TINT * colourOf(label - 1)[i % 3];
  });
}
