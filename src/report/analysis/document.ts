/** The report of an analysis: a section each, with its picture, its table and what it does not show. */
import { type AnalysisName, analyses } from '../../run/analyse/options';
import type { Analysis, AnalysisResults } from '../../run/analyse/result';
import { count, duration, moment } from '../format';
import { type Html, html } from '../html';
import { documentOf } from '../report';
import { named, table } from '../run-sections';
import { featureSections } from './features';
import { lossSections } from './loss';
import { robustnessSections } from './robustness';
import { weightSections } from './weights';

/** A whole HTML document. */
export function analysisHtml(analysis: Analysis): string {
  const { networks } = analysis;
  const title = networks.map(({ name }) => name).join(', ');
  const body = html`<h1>${named(title)}</h1>${aboutHtml(analysis)}${analysisSections(
    networks.map(({ name }) => name),
    analysis.results,
  )}`;
  return documentOf(`${title} · Refocus`, body);
}

/**
 * The sections of what was made, for a document of another room too.
 * @param names of the networks, the base first
 * @param results as JSON keeps them: null where a number was none
 */
export function analysisSections(names: readonly string[], results: Partial<AnalysisResults>): Html {
  return html`${weightSections(names, results)}${featureSections(names, results)}${robustnessSections(names, results)}${lossSections(names, results)}`;
}

function aboutHtml({
  networks,
  images,
  numbers,
  seconds,
  date,
  version,
  adapter,
  stopped,
  notes,
  failures,
}: Analysis): Html {
  const looked = images
    ? html`Looked at with ${count(images.count)} images of ${named(images.source)}, ${images.width} × ${images.height} pixels, ${count(images.classes.length)} classes; seed ${numbers.analysisSeed}.`
    : 'Only the weights were looked at.';
  return html`<p class="hint">${moment(date)}, ${duration(seconds)}${adapter && html` on ${named(adapter)}`}, Refocus ${version}. ${looked}</p>
${stopped && html`<p class="outcome bad">Stopped before its end: what was made until then is here.</p>`}
${networks.length > 1 && html`<p>The networks are compared with ${named(networks[0].name)}.</p>`}
${table(
  ['Network', 'File', 'Architecture', 'Parameters'],
  networks.map(({ name, file, architecture, parameters }) => [
    named(name),
    named(file),
    architecture,
    count(parameters),
  ]),
)}
${Object.entries(failures).map(([name, why]) => html`<p class="outcome bad">${analyses[name as AnalysisName].label}: ${why}</p>`)}
${notes.length > 0 && html`<ul class="hint">${notes.map((note) => html`<li>${named(note)}</li>`)}</ul>`}`;
}
