/** A figure of a report as a file of its own, for documents that hold pictures. */
import { lineClass } from './chart';
import { type Html, html } from './html';
import { style } from './style';

const WIDTH = 640;
const LINE = 16;
/** Width of a letter, nearly, and of a line's sample. */
const LETTER = 6.3;
const SAMPLE = 26;

/**
 * The picture of a figure with its title and, above it, the names of its lines.
 * @param figure as `chart` makes it
 * @returns an SVG document, which looks as in a report, light or dark as whoever shows it
 */
export function svgFile(figure: Html, title: string, names: readonly string[] = []): string {
  const found = /<svg viewBox="0 0 (\d+) (\d+)"([^>]*)>([\s\S]*)<\/svg>/.exec(figure.text);
  if (!found) throw new Error(`${title} has no picture`);
  const [, , height, attributes, picture] = found;
  const { rows, legend } = legendOf(names);
  const top = LINE * (1 + rows) + 8;
  const document = html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${Number(height) + top}" `;
  return `${document}${attributes.trim()}><style>${style}${OWN}</style><rect class="ground" width="100%" height="100%"/>${html`<text class="title" x="8" y="${LINE}">${title}</text>${legend}`}<svg y="${top}" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}">${picture}</svg></svg>\n`;
}

const OWN =
  ':root{font-size:12px}svg{max-width:none}.ground{fill:var(--ground)}svg text.title{fill:var(--ink);font-size:14px}';

/** Names behind samples of their lines, as many in a row as there is room for. */
function legendOf(names: readonly string[]): { rows: number; legend: Html[] } {
  let [x, row] = [8, names.length > 0 ? 1 : 0];
  const legend = names.map((name, i) => {
    const width = SAMPLE + name.length * LETTER + 14;
    if (x + width > WIDTH && x > 8) [x, row] = [8, row + 1];
    const [left, y] = [x, LINE * (1 + row)];
    x += width;
    return html`<g class="run ${lineClass(i)}"><polyline points="${left},${y - 4} ${left + 20},${y - 4}"/></g><text x="${left + SAMPLE}" y="${y}">${name}</text>`;
  });
  return { rows: row, legend };
}
