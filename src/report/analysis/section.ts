import { significant } from '../format';
import { type Html, html } from '../html';

/** What a section holds: a sentence on what it shows, one on what it does not, and the rest. */
export interface Section {
  title: string;
  shows: string;
  not: string;
  body: Html;
}

export const sectionHtml = ({ title, shows, not, body }: Section): Html =>
  html`<h2>${title}</h2><p>${shows}</p>${body}<p class="hint">Not shown: ${not}</p>`;

/** A table behind its picture. */
export const folded = (summary: string, body: Html): Html =>
  html`<details><summary>${summary}</summary>${body}</details>`;

/** A number, or a dash for what is none: JSON has null for it. */
export const figure = (
  value: number | null | undefined,
  format: (value: number) => string = significant,
): string => (typeof value === 'number' && Number.isFinite(value) ? format(value) : '–');

export const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
