/** A report of one run or several as one HTML file: it asks for nothing, runs nothing, and opens from a disk. */
import { type Arm, armsOf, differences, type EndedRun, hasEnded, type NamedRun } from './arms';
import { compareSeeds, differenceText, methodName, seedsText, verdictOf } from './comparison';
import { curvesLegend, curvesSvg } from './curves';
import { bytes, count, duration, moment, percent, points, significant } from './format';
import { Html, html } from './html';
import {
  classesSection,
  costSection,
  inputsSection,
  limitsSection,
  named,
  proofSection,
  redundancySection,
  settingsSection,
  summarySection,
  table,
} from './run-sections';
import { style } from './style';

/** Nothing is loaded and nothing runs, whatever a name holds. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

export interface ReportOptions {
  /** default: the name of the run, or how many there are */
  title?: string;
  /** index of the run that the others are compared with */
  reference?: number;
}

/**
 * The document of some runs, one at least; of several with their table and curves above.
 * @returns a whole HTML document
 */
export function reportHtml(runs: readonly NamedRun[], { title, reference = 0 }: ReportOptions = {}): string {
  const heading = title ?? (runs.length === 1 ? runs[0].name : `${runs.length} runs`);
  const body = html`<h1>${named(heading)}</h1>${runs.length > 1 && comparisonSection(runs, reference)}${runs.map((run) => runSection(run, runs.length > 1))}`;
  return documentOf(`${heading} · Refocus`, body);
}

/** A document with this room's style and policy. */
export const documentOf = (title: string, body: Html): string =>
  html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${POLICY}"><meta name="viewport" content="width=device-width"><title>${title}</title><style>${new Html(style)}</style></head>
<body><main>${body}</main><footer class="hint"><p>Made by Refocus. RefConv: arXiv 2310.10563.</p></footer></body></html>
`.text;

function runSection(run: NamedRun, isOneOfSeveral: boolean): Html {
  const heading = html`<h2>${isOneOfSeveral ? named(run.name) : 'The run'}</h2>`;
  const curves = html`${curvesSvg([run], 'accuracy')}${curvesSvg([run], 'loss')}<p class="hint">Lines: training, smoothed; circles: test images; dashed: the network as it was loaded.</p>`;
  if (!hasEnded(run))
    return html`${heading}<p>This run has not come to an end: it is at step ${count(run.metrics.at(-1)?.step ?? 0)}.</p>${curves}`;
  const { settings, date, seed } = run.report;
  return html`${heading}<p class="hint">${methodName(settings.method)}, seed ${seed}, ${moment(date)}</p>
${summarySection(run)}
<h3>Curves</h3>${curves}
<h3>Network and images</h3>${inputsSection(run)}
<h3>Settings</h3>${settingsSection(run)}
${classesSection(run)}
${redundancySection(run)}
<h3>Proof of the merge</h3>${proofSection(run)}
<h3>Cost</h3>${costSection(run)}
<h3>What was shown and what not</h3>${limitsSection(run)}`;
}

function comparisonSection(runs: readonly NamedRun[], reference: number): Html {
  const ended = runs.filter(hasEnded);
  const pinned = Math.max(0, ended.indexOf(runs[reference] as EndedRun));
  const arms = ended.length > 0 ? armsOf(ended, pinned) : [];
  const differing = differences(ended);
  const order = [runs[reference], ...runs.filter((_, i) => i !== reference)];
  return html`<h2>The runs beside each other</h2>
${arms.length > 0 && armsHtml(arms)}
${verdicts(arms).map((sentence) => html`<p>${sentence}</p>`)}
<h3>Curves</h3>${curvesLegend(order)}${curvesSvg(order, 'accuracy')}${curvesSvg(order, 'loss')}
<h3>Settings that differ</h3>${
    differing.length === 0
      ? html`<p>None: a difference in accuracy is chance, or the device’s.</p>`
      : table(
          ['', ...ended.map(({ name }) => named(name))],
          differing.map(({ name, values }) => [name, ...values.map(named)]),
          'wide',
        )
  }`;
}

function armsHtml(arms: readonly Arm[]): Html {
  const rows = arms.map(({ run: { name, report }, isReference, difference, paired }) => {
    const { accuracy, uncertainty, settings, plan } = report;
    const [low, high] = uncertainty.intervals.last;
    return [
      html`${named(name)}<small>${settings.method}, seed ${report.seed}</small>`,
      accuracy.base === undefined ? '–' : percent(accuracy.base),
      html`${percent(accuracy.last)}<small>${percent(low, 1)} to ${percent(high, 1)}</small>`,
      percent(accuracy.best),
      isReference
        ? 'reference'
        : html`${paired ? differenceText(paired) : points(difference)}<small>${paired ? `${count(paired.flips.gained)} gained, ${count(paired.flips.lost)} lost` : 'not the same test images'}</small>`,
      `${significant(report.stepMs)} ms`,
      bytes(plan.peakBytes),
      duration(report.seconds),
    ];
  });
  return table(
    ['Run', 'Base', 'Last', 'Best', 'Against the reference', 'A step', 'GPU memory', 'Time'],
    rows,
  );
}

/** Each arm against the reference, in words, and the methods over their seeds. */
export function verdicts(arms: readonly Arm[]): string[] {
  const reference = arms.find(({ isReference }) => isReference);
  if (!reference) return [];
  const runs = arms.map(({ run }) => run);
  const told = arms.flatMap(({ run, paired }) =>
    paired ? [verdictOf([`“${reference.run.name}”`, `“${run.name}”`], paired)] : [],
  );
  const methods = new Set<string>();
  const seeds = arms.flatMap(({ run }) => {
    const { method } = run.report.settings;
    const found = methods.has(method) ? undefined : compareSeeds(reference.run, run, runs);
    if (found) methods.add(method);
    return found ? [seedsText(found)] : [];
  });
  return [...told, ...seeds];
}
