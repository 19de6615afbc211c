/** HTML as text in which every value is escaped: what comes from files or users is never markup. */

/** A piece of HTML that is safe as it stands. */
export class Html {
  constructor(readonly text: string) {}

  toString(): string {
    return this.text;
  }
}

export type Child = Html | string | number | false | undefined | readonly Child[];

const ESCAPES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text for an element or an attribute in quotes. Characters that no document may hold become U+FFFD. */
export const escapeHtml = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones that are taken out
  text.replace(/[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/g, '\ufffd').replace(/[&<>"']/g, (char) => ESCAPES[char]);

function textOf(child: Child): string {
  if (child === false || child === undefined) return '';
  if (child instanceof Html) return child.text;
  if (Array.isArray(child)) return child.map(textOf).join('');
  return escapeHtml(String(child));
}

/** HTML of a template: its own text as it stands, its values escaped unless they are HTML themselves. */
export const html = (parts: TemplateStringsArray, ...values: readonly Child[]): Html =>
  new Html(parts.reduce((text, part, i) => text + textOf(values[i - 1]) + part));
