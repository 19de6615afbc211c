/** What a report says of one run. */
import type { FiguresOfClass } from '../analysis/class-figures';
import type { Report } from '../run/report';
import { fieldText } from '../train/field';
import { type SettingName, settingFields } from '../train/settings';
import type { EndedRun, NamedRun } from './arms';
import { figureOf } from './figure';
import { bytes, count, duration, moment, operations, percent, points, significant } from './format';
import { heatmapUri, topOf } from './heatmap';
import { type Html, html } from './html';
import { outcomeOf } from './outcome';

/** Classes of which every pair has a cell; of more the commonest confusions are listed. */
const MOST_CELLS = 16;
const PAIRS = 40;
/** Settings that are always told. */
const MAIN_SETTINGS: ReadonlySet<string> = new Set(['method', 'epochs', 'batch', 'lr', 'seed']);
/** Layers that are drawn at most. */
const MOST_LAYERS = 60;

type Row = readonly [name: string | Html, value: string | Html];

const list = (rows: readonly Row[]): Html =>
  html`<div class="scroll" tabindex="0"><table><tbody>${rows.map(([name, value]) => html`<tr><th scope="row">${name}</th><td>${value}</td></tr>`)}</tbody></table></div>`;

export const table = (
  columns: readonly (string | Html)[],
  rows: readonly (readonly (string | Html)[])[],
  kind = '',
): Html =>
  html`<div class="scroll" tabindex="0"><table class="${kind}"><thead><tr>${columns.map((name, i) => html`<th scope="col" class="${i > 0 ? 'n' : ''}">${name}</th>`)}</tr></thead><tbody>${rows.map(([first, ...cells]) => html`<tr><th scope="row">${first}</th>${cells.map((cell) => html`<td class="n">${cell}</td>`)}</tr>`)}</tbody></table></div>`;

/** A name of the user's: its direction is its own. */
export const named = (text: string): Html => html`<bdi>${text}</bdi>`;

export function summarySection({ report }: EndedRun): Html {
  const { tone, title, text } = outcomeOf(report);
  const { accuracy, uncertainty, dense } = report;
  const figure = (name: string, key: 'base' | 'last' | 'best') => {
    const value = accuracy[key];
    if (value === undefined) return html`<div><dt>${name}</dt><dd>–</dd></div>`;
    const interval = uncertainty.intervals[key];
    const gain = key !== 'base' && accuracy.base !== undefined && points(value - accuracy.base);
    return html`<div><dt>${name}</dt><dd>${percent(value)}${gain && html`<small>${gain}</small>`}${interval && html`<small>${percent(interval[0], 1)} to ${percent(interval[1], 1)}</small>`}</dd></div>`;
  };
  const best =
    report.best === 'base'
      ? 'the network it started from, for no epoch was better'
      : `that of epoch ${Number(report.best.toFixed(2))}, chosen by these test images`;
  return html`<div class="outcome ${tone}"><h3>${title}</h3><p>${text}</p></div>
<dl class="figures">${figure('Base', 'base')}${figure('Last', 'last')}${figure('Best', 'best')}</dl>
<p class="hint">${dense ? `${figureOf(dense.task).about}` : `Shares of ${count(uncertainty.images)} test images`}; the ranges hold what all images of their kind would give in 95 of 100 cases (${dense ? `bootstrap over ${count(uncertainty.images)} images` : 'Wilson'}). Base is the network as it was loaded, last the merged network after the last step, best ${best}.</p>`;
}

export function inputsSection({ report }: EndedRun): Html {
  const { network, sources, classes, data, sha256 } = report;
  const parts = (data ?? []).map(
    ({ source, parts, size, skipped }) =>
      html`<bdi>${source}</bdi>: ${parts.map(({ use, images }) => `${count(images)} to ${use}`).join(', ')}; ${size.width} × ${size.height} pixels${skipped > 0 && `; ${count(skipped)} files left out`}. `,
  );
  const rows: Row[] = [
    [
      'Network',
      html`${named(network.source)} (${network.architecture}, names of ${network.publisher || 'its own'}${network.newHead && ', its classifier new'})`,
    ],
    ['Training images', named(sources.train.join(', '))],
    ['Test images', sources.test ? named(sources.test.join(', ')) : 'of the same source'],
    [
      `${count(classes.length)} classes`,
      named(classes.length > 20 ? `${classes.slice(0, 20).join(', ')} …` : classes.join(', ')),
    ],
  ];
  if (parts.length > 0) rows.push(['Images', html`${parts}`]);
  for (const [name, sum] of Object.entries(sha256.in))
    rows.push([html`SHA-256 of ${named(name)}`, html`<code>${sum}</code>`]);
  return list(rows);
}

/** Settings that are not the defaults are what a reader looks for; the others are folded away. */
export function settingsSection({ report }: EndedRun): Html {
  const entries = Object.entries(report.settings);
  const field = (name: string) =>
    Object.hasOwn(settingFields, name) ? settingFields[name as SettingName] : undefined;
  const row = ([name, value]: [string, unknown]): Row => [field(name)?.label ?? name, fieldText(value)];
  const isChosen = ([name, value]: [string, unknown]) => {
    const fallback = field(name)?.fallback;
    const isDefault = fallback === 'auto' || fieldText(value) === fieldText(fallback);
    return MAIN_SETTINGS.has(name) || !isDefault;
  };
  const chosen = entries.filter(isChosen);
  const others = entries.filter((entry) => !isChosen(entry));
  return html`${list(chosen.map(row))}<details><summary>The other ${others.length} settings, as by default or as network and images decide</summary>${list(others.map(row))}</details>`;
}

export function costSection({ report }: EndedRun): Html {
  const { plan, proof } = report;
  return list([
    [
      'Time',
      `${duration(report.seconds)} in all, ${count(report.steps)} steps of ${significant(report.stepMs)} ms (median)`,
    ],
    ['GPU memory of a step', bytes(plan.peakBytes)],
    [
      'A step',
      `${count(plan.dispatches)} dispatches that move ${bytes(plan.bytesPerStep)}${plan.flopsPerStep === undefined ? '' : ` and compute ${operations(plan.flopsPerStep)}`}`,
    ],
    ['Parameters, before and after', proof.parameters.map(count).join(' and ')],
    ['Multiply-adds an image, before and after', proof.multiplyAdds.map(count).join(' and ')],
    ['Adapter', named(report.adapter || 'without a name')],
    ['Refocus', `${report.version}, begun ${moment(report.date)}`],
  ]);
}

export function proofSection({ report }: EndedRun): Html {
  const { proof, sha256 } = report;
  const words =
    proof.images === 0
      ? html`<p>No device was left to compare the merged network with the trained one on: evaluate the file before it is used.</p>`
      : html`<p>${proof.ok ? 'The merge is proven.' : 'The merge is not proven.'} The written file, read back into the plain network, gives logits that differ from the trained network’s by at most ${significant(proof.maxAbsLogitDiff)} (${significant(proof.maxRelLogitDiff)} relative) on ${count(proof.images)} images; the predicted class agrees on ${percent(proof.top1Agreement)} of them.</p>`;
  const sums = Object.entries(sha256.out);
  return html`${words}${sums.length > 0 && list(sums.map(([name, sum]): Row => [html`SHA-256 of ${named(name)}`, html`<code>${sum}</code>`]))}`;
}

export function classesSection({ report }: EndedRun): Html | undefined {
  const share = (value?: number) => (value === undefined ? '–' : percent(value, 1));
  if (report.dense) return denseSection(report.dense, share);
  const figures = report.evaluation.last;
  if (!figures) return undefined;
  const row = ({ class: name, images, precision, recall, f1, auc }: FiguresOfClass) => [
    named(name),
    count(images),
    share(precision),
    share(recall),
    share(f1),
    auc?.toFixed(3) ?? '–',
  ];
  const rows = table(['Class', 'Images', 'Precision', 'Recall', 'F1', 'AUC'], figures.classes.map(row));
  const names = figures.classes.map((one) => one.class);
  return html`<h3>Class by class</h3>${names.length > 30 ? html`<details><summary>${count(names.length)} classes</summary>${rows}</details>` : rows}<h3>Which classes are taken for which</h3>${names.length <= MOST_CELLS ? matrix(names, figures.confusion) : pairs(names, figures.confusion)}`;
}

function denseSection(
  { task, base, last }: NonNullable<Report['dense']>,
  share: (value?: number) => string,
): Html | undefined {
  if (!last) return undefined;
  const what = task === 'segmentation' ? 'IoU' : 'AP at 0.5';
  const rows = last.classes.map(({ class: name, figure }, c) => [
    named(name),
    share(base?.classes[c]?.figure),
    share(figure),
  ]);
  return html`<h3>Class by class</h3>${table(['Class', `${what}, base`, `${what}, last`], rows)}`;
}

function matrix(names: readonly string[], confusion: readonly (readonly number[])[]): Html {
  const cell = (images: number, isRight: boolean) =>
    html`<td class="${isRight ? 'right' : images === 0 ? 'none' : ''}">${images === 0 ? '·' : count(images)}</td>`;
  return html`<div class="scroll" tabindex="0"><table class="confusion"><caption class="hint">Rows: images of a class; columns: what they are told to be.</caption><thead><tr><th scope="col"></th>${names.map((name) => html`<th scope="col">${named(name)}</th>`)}</tr></thead><tbody>${confusion.slice(0, names.length).map((row, r) => html`<tr><th scope="row">${named(names[r])}</th>${row.map((images, c) => cell(images, r === c))}</tr>`)}</tbody></table></div>`;
}

function pairs(names: readonly string[], confusion: readonly (readonly number[])[]): Html {
  const found = confusion
    .flatMap((row, r) =>
      row.map((images, c) => ({ images, label: names[r], told: names[c], isWrong: r !== c })),
    )
    .filter(({ images, isWrong }) => isWrong && images > 0)
    .sort((a, b) => b.images - a.images)
    .slice(0, PAIRS);
  return html`<ul>${found.map(({ images, label, told }) => html`<li>${count(images)} of ${named(label ?? '')} told ${named(told ?? '')}</li>`)}</ul>`;
}

export function redundancySection({ redundancy: { before, after } }: NamedRun): Html | undefined {
  if (before.length === 0) return undefined;
  const figures = before.slice(0, MOST_LAYERS).map((layer, i) => {
    const later = after[i]?.name === layer.name ? after[i] : undefined;
    const top = topOf(later ? [layer, later] : [layer]);
    const image = (one: typeof layer, when: string) =>
      html`<img src="${heatmapUri(one, top)}" alt="${layer.name} ${when}: mean divergence ${significant(one.divergence)} nats">`;
    const means = later
      ? `${significant(layer.divergence)} before, ${significant(later.divergence)} after`
      : significant(layer.divergence);
    return html`<figure><figcaption>${named(layer.name)}: mean ${means}</figcaption><span>${image(layer, 'before')}${later && image(later, 'after')}</span></figure>`;
  });
  const more = before.length - figures.length;
  return html`<h3>Channel redundancy, before and after</h3><p class="hint">Each pixel compares two kernels of a layer by the Kullback-Leibler divergence of their softmax, in nats; dark pairs say the same. A layer’s two pictures share a scale. The mean is over all pairs of kernels. A lighter picture is no proof of a better network.</p><div class="maps">${figures}</div>${more > 0 && html`<p class="hint">${more} further layers are left out.</p>`}`;
}

/** What the run says, and what it does not. */
export function limitsSection({ report }: EndedRun): Html {
  const { uncertainty, accuracy, settings } = report;
  const shown = [
    `The ${figureOf(report.dense?.task).name} of the merged network on ${count(uncertainty.images)} test images, by one run with seed ${report.seed}.`,
    report.proof.ok && 'That the written file computes what was trained, and costs what it did before.',
  ];
  const not = [
    'That another seed gives the same: three or more, with the same images, would tell.',
    accuracy.base === undefined
      ? 'That training was worth it against the network it came from, which has no such classes: fine-tuning as long is the comparison.'
      : (settings.method === 'refocus' || settings.method === 'joint') &&
        'That refocusing is better than fine-tuning for as long: that takes a fine-tuned run beside it.',
    report.best !== 'base' &&
      accuracy.best > accuracy.last &&
      'That the best epoch is as good on other images: it was chosen by these.',
    'That images of another kind, camera or place are told as well.',
  ];
  const items = (sentences: readonly (string | false)[]) =>
    sentences.filter((one) => one !== false).map((one) => html`<li>${one}</li>`);
  return html`<p>Shown:</p><ul>${items(shown)}</ul><p>Not shown:</p><ul>${items(not)}</ul>`;
}
