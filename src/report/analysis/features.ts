import type {
  AnalysisResults,
  CalibrationResult,
  SimilarityResult,
  TransferResult,
} from '../../run/analyse/result';
import { differenceText } from '../comparison';
import { count, percent, significant } from '../format';
import { type Html, html } from '../html';
import { named, table } from '../run-sections';
import { cellsSvg, scaleBar, UNIT_SCALE } from './matrix';
import { figure, folded, sectionHtml } from './section';

export function featureSections(
  names: readonly string[],
  { calibration, similarity, transfer }: Partial<AnalysisResults>,
): Html {
  return html`${calibration && calibrationSection(names, calibration)}${similarity && similaritySection(names, similarity)}${transfer && transferSection(names, transfer)}`;
}

function calibrationSection(names: readonly string[], { networks }: CalibrationResult): Html {
  const rows = networks.map(({ accuracy, interval, loss, error, confidence, paired }, i) => [
    named(names[i]),
    html`${percent(accuracy)}<small>${percent(interval[0], 1)} to ${percent(interval[1], 1)}</small>`,
    i === 0 ? 'base' : paired ? differenceText(paired) : '–',
    figure(loss),
    percent(confidence),
    percent(error),
  ]);
  return sectionHtml({
    title: 'Accuracy and calibration',
    shows:
      'Whether a network is right as often as it is sure. The expected calibration error is the distance between both, over fifteen bins of confidence weighted by their images; a bar on the line is right as often as it says. Pale above a bar: surer than right; dark in its top: right more often than sure.',
    not: 'what one temperature on the logits would mend (it would most of it), and what another set of images gives.',
    body: html`${table(['Network', 'Accuracy', 'Against the base', 'Loss', 'Sure', 'Calibration error'], rows)}<div class="maps">${networks.map(({ bins }, i) => html`<figure><figcaption>${named(names[i])}</figcaption>${reliability(bins, names[i])}</figure>`)}</div>${folded('All bins', bins(names, networks))}`,
  });
}

type Bins = CalibrationResult['networks'][number]['bins'];

function reliability(all: Bins, name: string): Html {
  const side = 100;
  const bar = ({ from, to, accuracy, confidence, images }: Bins[number]) => {
    if (images === 0 || accuracy === undefined || confidence === undefined) return false;
    const x = (side * from).toFixed(2);
    const width = (side * (to - from)).toFixed(2);
    const top = Math.max(accuracy, confidence);
    return html`<rect class="right" x="${x}" y="${(side * (1 - accuracy)).toFixed(2)}" width="${width}" height="${(side * accuracy).toFixed(2)}"/><rect class="gap" x="${x}" y="${(side * (1 - top)).toFixed(2)}" width="${width}" height="${(side * Math.abs(accuracy - confidence)).toFixed(2)}"/>`;
  };
  return html`<svg class="reliability" viewBox="0 0 ${side} ${side}" role="img" aria-label="${name}: how often it is right, by how sure it is">${all.map(bar)}<line x1="0" y1="${side}" x2="${side}" y2="0"/></svg>`;
}

function bins(names: readonly string[], networks: CalibrationResult['networks']): Html {
  const head = [
    'Confidence',
    ...names.flatMap((name) =>
      ['images', 'sure', 'right'].map((what) => html`${named(name)}<small>${what}</small>`),
    ),
  ];
  const rows = networks[0].bins.map(({ from, to }, bin) => [
    `${percent(from, 0)} to ${percent(to, 0)}`,
    ...networks.flatMap(({ bins: all }) => {
      const { images, confidence, accuracy } = all[bin];
      return [
        count(images),
        figure(confidence, (v) => percent(v, 1)),
        figure(accuracy, (v) => percent(v, 1)),
      ];
    }),
  ]);
  return table(head, rows, 'wide');
}

function similaritySection(
  names: readonly string[],
  { batch, side, layers, matrices }: SimilarityResult,
): Html {
  const title = (i: number) =>
    i === 0
      ? html`${named(names[0])} with itself`
      : html`${named(names[0])} (down) and ${named(names[i])} (across)`;
  const pictures = matrices.map(
    (matrix, i) =>
      html`<figure><figcaption>${title(i)}</figcaption>${cellsSvg(matrix, `CKA of ${names[0]} and ${names[i]}, ${layers.length} layers each`, UNIT_SCALE)}</figure>`,
  );
  const rows = layers.map((layer, l) => [
    named(layer),
    ...matrices.slice(1).map((matrix) => figure(matrix[l][l], (v) => v.toFixed(3))),
  ]);
  return sectionHtml({
    title: 'Likeness of features',
    shows: `Linear CKA of what each layer is given, on the same images: 1 where the features of all images lie to each other as in the other layer, up to turns and one scale; 0 where they have nothing to do with each other. HSIC is estimated without bias on batches of ${batch} images (a value may lie a little out of 0 to 1), of features averaged to ${side} × ${side} pixels. First layers are on top and on the left.`,
    not: 'whether both classify alike: layers may be alike in what most of the variance is, and differ in what matters.',
    body: html`<div class="maps wide-maps">${pictures}</div><p>${scaleBar(UNIT_SCALE)}</p>${matrices.length > 1 && folded('Layer by layer', table(['What reads the features', ...names.slice(1).map(named)], rows))}`,
  });
}

function transferSection(
  names: readonly string[],
  { source, classes, images, chance, networks }: TransferResult,
): Html {
  const rows = networks.map(({ accuracy, interval, ridge }, i) => [
    named(names[i]),
    html`${percent(accuracy)}<small>${percent(interval[0], 1)} to ${percent(interval[1], 1)}</small>`,
    significant(ridge),
  ]);
  return sectionHtml({
    title: 'Transfer by a linear probe',
    shows: `What a linear map tells of ${source} (${count(classes.length)} classes) from each network’s last features: ridge regression on ${count(images.train)} images, tested on ${count(images.test)} others. The most frequent class alone gives ${percent(chance)}.`,
    not: 'what training the network on those images would give.',
    body: table(['Network', 'Accuracy', 'Ridge'], rows),
  });
}
