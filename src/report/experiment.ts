/** The report of an experiment as one HTML file: arms over seeds, what that shows and what not. It asks for nothing and runs nothing. */
import type { ArmResult } from '../experiment/arm-results';
import type { ExperimentResults } from '../experiment/results';
import type { RunResult } from '../experiment/run-result';
import type { Pictures } from '../run/pictures';
import type { RunRedundancy } from '../run/run-files';
import { fieldText } from '../train/field';
import { type SettingName, settingFields } from '../train/settings';
import { bandsSvg, hasBands, trainedArms } from './bands';
import { legend } from './chart';
import { differencesSvg } from './differences';
import {
  comparisonSentence,
  intervalText,
  labelOf,
  notShownSentences,
  SHOWN,
  shownSentences,
  spreadText,
  winsText,
  withoutRateSentences,
} from './experiment-words';
import { figureOf } from './figure';
import { bytes, count, duration, moment, operations, percent, points, significant } from './format';
import { heatmapUri, topOf } from './heatmap';
import { type Html, html } from './html';
import { picturesSection } from './pictures';
import { documentOf } from './report';
import { named, table } from './run-sections';

export interface ExperimentReport {
  /** kernels of an arm's first run, by the arm's name */
  redundancy?: ReadonlyMap<string, RunRedundancy>;
  /** what an arm's first network sees, by the arm's name */
  pictures?: ReadonlyMap<string, Pictures>;
  /** further sections, each with its heading */
  sections?: readonly Html[];
}

/** @returns a whole HTML document */
export function experimentHtml(
  results: ExperimentResults,
  { redundancy = new Map(), pictures = new Map(), sections = [] }: ExperimentReport = {},
): string {
  const { experiment, complete, missing } = results;
  const body = html`<h1>${named(experiment.name)}</h1>
${experiment.question !== undefined && html`<p>${named(experiment.question)}</p>`}
<p class="hint">${experiment.arms.length} arms, seeds ${experiment.seeds.join(', ')}, ${moment(results.date)}</p>
${!complete && html`<div class="outcome"><p><b>Not at its end.</b> ${missing.length} of its runs are missing: all figures are of those that are there.${withoutRateSentences(results).map((one) => html` ${named(one)}`)}</p></div>`}
${results.runs.length > 0 ? shownSections(results, { redundancy, pictures, sections }) : html`<p>No run of an arm has come to its end yet: there is nothing to show.</p>`}
${results.rates.length > 0 && html`<h2>Learning rates</h2>${ratesSection(results)}`}
<h2>What all arms share</h2>${sharedSection(results)}`;
  return documentOf(`${experiment.name} · Refocus`, body);
}

/** What the runs that have ended show. */
function shownSections(
  results: ExperimentResults,
  { redundancy, pictures, sections }: Required<ExperimentReport>,
): Html {
  return html`<h2>What was shown</h2>${sentences(shownSentences(results))}
<p>Not shown:</p>${sentences(notShownSentences(results))}
<h2>The arms</h2>${armsSection(results)}
${picturesSection(results, pictures)}
<h2>Curves</h2>${curvesSection(results)}
<h2>Every two arms</h2>${pairsSection(results)}
<h2>Every run</h2>${runsSection(results)}
<h2>Cost</h2>${costSection(results)}
${redundancySection(results, redundancy)}
${sections}`;
}

const sentences = (list: readonly string[]): Html =>
  html`<ul>${list.map((one) => html`<li>${named(one)}</li>`)}</ul>`;

/** An arm's name with what it is for. */
const titled = ({ label, about }: Pick<ArmResult, 'label' | 'about'>): Html =>
  html`${named(label)}<small>${named(about)}</small>`;

function armsSection(results: ExperimentResults): Html {
  const { arms, comparisons, experiment } = results;
  const { reference } = experiment;
  const rows = arms.map((arm) => {
    const found = comparisons.find((one) => one.arm === arm.arm && one.against === reference);
    const against =
      arm.arm === reference
        ? 'reference'
        : found
          ? html`${points(found.last.mean)}<small>${intervalText(found.last)}</small><small>${winsText(found.last)}</small>`
          : '–';
    return [
      titled(arm),
      String(arm.seeds.length),
      arm.last ? spreadText(arm.last) : '–',
      arm.best ? spreadText(arm.best) : '–',
      against,
      found ? SHOWN[found.last.shown] : '',
    ];
  });
  return html`${table(['Arm', 'Seeds', 'Last', 'Best', `Last, less ${labelOf(results)(reference)}`, 'Shown'], rows, 'arms')}
<p class="hint">${figureOf(results.task).about}; mean and standard deviation over seeds. Last: after the last step, which nobody chose. Best: at the best epoch, which the test images chose, so that it flatters. Differences are taken seed by seed, their intervals are Student’s over the seeds. All arms of a seed have the same images in the same order with the same augmentation, as many steps, and the same course of the learning rate.</p>
${differencesSvg(results)}<p class="hint">Circle: the mean over the seeds; line: its interval of 95 %; strokes: the seeds. A line across zero shows no difference.</p>`;
}

function curvesSection(results: ExperimentResults): Html {
  const drawn = trainedArms(results);
  return html`${legend(drawn.map(({ label }) => label))}${bandsSvg(results, 'accuracy')}${bandsSvg(results, 'loss')}${bandsSvg(results, 'training')}
<p class="hint">Lines are means over the seeds${hasBands(results) ? ', bands reach from the lowest to the highest' : '; so many have no bands'}. Level, grey and dashed: the base.</p>`;
}

/** Differences of every two arms: a row less a column. */
function pairsSection(results: ExperimentResults): Html {
  const { arms, comparisons } = results;
  const cell = (row: string, column: string): string | Html => {
    if (row === column) return '·';
    const one = comparisons.find(({ arm, against }) => arm === row && against === column);
    const other = comparisons.find(({ arm, against }) => arm === column && against === row);
    if (one) return html`${points(one.last.mean)}<small>${one.last.wins} : ${one.last.losses}</small>`;
    if (other)
      return html`${points(-other.last.mean)}<small>${other.last.losses} : ${other.last.wins}</small>`;
    return '–';
  };
  const label = labelOf(results);
  const told = comparisons.map((one) => comparisonSentence(one, label));
  return html`${table(
    ['Row less column', ...arms.map((arm) => named(arm.label))],
    arms.map((row) => [named(row.label), ...arms.map((column) => cell(row.arm, column.arm))]),
    'wide',
  )}<p class="hint">Mean difference of ${figureOf(results.task).name} after the last step; below it, how many seeds the row wins and loses.</p><details><summary>With intervals</summary>${sentences(told)}</details>`;
}

function runsSection(results: ExperimentResults): Html {
  const label = labelOf(results);
  const row = (run: RunResult) => [
    html`${named(label(run.arm))}<small>seed ${run.seed}, rate ${significant(run.lr)}${run.ended !== 'finished' && `, ${run.ended}`}</small>`,
    run.accuracy.base === undefined ? '–' : percent(run.accuracy.base),
    percent(run.accuracy.last),
    html`${percent(run.accuracy.best)}<small>epoch ${Number(run.bestEpoch.toFixed(2))}</small>`,
    run.proof.ok ? `proven, ${significant(run.proof.maxRelLogitDiff)}` : 'not proven',
    html`<code>${(run.merged ?? '–').slice(0, 12)}</code>`,
  ];
  const images = results.runs[0]?.testImages ?? 0;
  return html`${table(['Run', 'Start', 'Last', 'Best', 'Merge', 'SHA-256 of the weights'], results.runs.map(row))}
<p class="hint">${results.task ? `${figureOf(results.task).name} on` : 'Shares of'} ${count(images)} test images. Merge: the written file, read back into the plain network, against the trained one, as the largest relative difference of logits. The weights are merged.safetensors in the folder of each run.</p>`;
}

function ratesSection(results: ExperimentResults): Html {
  const { rates, experiment } = results;
  const label = labelOf(results);
  const all = [...new Set(rates.flatMap(({ tried }) => tried.map(({ lr }) => lr)))].sort((a, b) => a - b);
  const rows = rates.map(({ arm, tried, chosen }) => [
    named(label(arm)),
    ...all.map((lr) => {
      const one = tried.find((cell) => cell.lr === lr);
      if (!one) return '–';
      if (one.diverged) return 'diverged';
      return lr === chosen ? html`<strong>${percent(one.accuracy)}</strong>` : percent(one.accuracy);
    }),
  ]);
  const { epochs = 0, heldOut = 0 } = experiment.lrSearch ?? {};
  return html`${table(['Arm', ...all.map(significant)], rows)}
<p class="hint">${results.task ? figureOf(results.task).name : 'Accuracy'} on the training images that were held out (${percent(heldOut, 0)} of each class) after ${epochs} ${epochs === 1 ? 'epoch' : 'epochs'} on the others with seed ${experiment.seeds[0]}; the test images took no part. Bold: the rate that the arm was given for all seeds; one at which training diverged is not taken. An arm that is not here has the rate of another, or the one that the settings name.</p>`;
}

function costSection(results: ExperimentResults): Html {
  const { runs } = results;
  const rows = trainedArms(results).map(({ arm, label, stepMs, seconds, peakBytes, divergence }) => {
    const one = runs.find((run) => run.arm === arm)!;
    return [
      named(label),
      stepMs ? `${significant(stepMs.mean)} ms` : '–',
      seconds ? duration(seconds.mean) : '–',
      peakBytes === undefined ? '–' : bytes(peakBytes),
      one.flopsPerStep === undefined ? '–' : operations(one.flopsPerStep),
      one.dispatches === undefined ? '–' : count(one.dispatches),
      one.bytesPerStep === undefined ? '–' : bytes(one.bytesPerStep),
      divergence ? significant(divergence.mean) : '–',
    ];
  });
  const adapters = [...new Set(runs.map(({ adapter }) => adapter))];
  return html`${table(['Arm', 'A step', 'A run', 'GPU memory', 'Work', 'Dispatches', 'Bytes moved', 'Divergence'], rows)}
<p class="hint">A step: median of a run, mean over seeds; GPU memory, work, dispatches and bytes moved are of a step, and the merged network costs what the base does. Divergence: mean over layers of how differently their kernels are shaped, nats. On ${named(adapters.join(', ') || 'nothing yet')}.</p>`;
}

/** Layers that are drawn at most: the largest. */
const MOST_LAYERS = 4;

function redundancySection(
  results: ExperimentResults,
  redundancy: ReadonlyMap<string, RunRedundancy>,
): Html | undefined {
  const drawn = trainedArms(results).filter(({ arm }) => (redundancy.get(arm)?.after.length ?? 0) > 0);
  const first = drawn[0] && redundancy.get(drawn[0].arm);
  if (!first) return undefined;
  const layers = first.before
    .map((layer, index) => ({ layer, index }))
    .sort((a, b) => b.layer.planes - a.layer.planes)
    .slice(0, MOST_LAYERS)
    .sort((a, b) => a.index - b.index);
  const figures = layers.map(({ layer, index }) => {
    const sides = [
      { name: 'Base', layer },
      ...drawn.map(({ arm, label }) => ({ name: label, layer: redundancy.get(arm)!.after[index] })),
    ].filter((side) => side.layer?.name === layer.name);
    const top = topOf(sides.map((side) => side.layer));
    return html`<h3><code>${layer.name}</code></h3><div class="maps arms">${sides.map(
      (side) =>
        html`<figure><figcaption>${named(side.name)}: ${significant(side.layer.divergence)} nats</figcaption><img src="${heatmapUri(side.layer, top)}" alt="${side.name}, ${layer.name}: mean divergence ${significant(side.layer.divergence)} nats"></figure>`,
    )}</div>`;
  });
  return html`<h2>Redundancy</h2>${figures}<p class="hint">Divergence of the kernels of a layer, each pair a pixel, on one scale a layer; dark: alike. Of the first seed; the ${layers.length} largest layers.</p>`;
}

function sharedSection({ experiment }: ExperimentResults): Html {
  const { settings, base, data, test } = experiment;
  const inputs: [string, string][] = [
    ['Network', base.weights ?? base.network?.arch ?? 'the built-in one'],
    ['Training images', data.join(', ')],
    ['Test images', test?.join(', ') ?? 'of the same source'],
  ];
  const rows = Object.entries(settings)
    .filter(([name]) => !['seed', 'method'].includes(name) && Object.hasOwn(settingFields, name))
    .map(([name, value]): [string, string, boolean] => {
      const field = settingFields[name as SettingName];
      return [field.label, fieldText(value), fieldText(value) === fieldText(field.fallback)];
    });
  const list = (all: readonly (readonly [string, string, ...unknown[]])[]) =>
    html`<div class="scroll" tabindex="0"><table><tbody>${all.map(([name, value]) => html`<tr><th scope="row">${name}</th><td>${named(value)}</td></tr>`)}</tbody></table></div>`;
  const own = experiment.arms.map(({ name, settings: ofArm, from, rate }): [string, string] => [
    name,
    [
      ...Object.entries(ofArm ?? {}).map(([key, value]) => `${key} ${fieldText(value)}`),
      ...(from === undefined ? [] : [`starts from ${from}`]),
      ...(rate ? [`the rate of ${rate.of} times ${rate.times}`] : []),
    ].join(', ') || 'trains nothing',
  ]);
  return html`${list([...inputs, ...rows.filter(([, , isDefault]) => !isDefault)])}<details><summary>The other settings, as by default</summary>${list(rows.filter(([, , isDefault]) => isDefault))}</details><h3>And what each arm differs in</h3>${list(own)}`;
}
