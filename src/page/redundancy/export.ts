/** The opened layer's pictures as files. */
import { download } from '../files';
import { significant } from '../format';
import { colour } from '../theme';
import { mapPixels, type Scale } from './colours';
import { type Comparison, matrixCsv, measureNames, type Picture } from './comparison';

const SIDE = 640;
const MARGIN = 16;
const HEAD = 44;
const FOOT = 48;

const fileName = ({ before, measure }: Comparison, { which }: Picture, extension: string): string =>
  `${before.name}-${measure}-${which}.${extension}`;

/** The map's own pixels. */
function mapCanvas({ pairs, scale }: Picture, { order }: Comparison): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = order.length;
  const pixels = mapPixels(pairs, order, scale);
  canvas.getContext('2d')!.putImageData(new ImageData(pixels, order.length, order.length), 0, 0);
  return canvas;
}

function words({ before, measure }: Comparison, title: string) {
  const { planes, drawn, name } = before;
  const shown = drawn.length < planes ? `${drawn.length} of ${planes} kernels` : `${planes} kernels`;
  return { head: `${name}, ${title}`, below: `${measureNames[measure]} between ${shown}` };
}

const ends = ({ from, to }: Scale): [string, string] => [significant(from), significant(to)];

export function savePng(picture: Picture, of: Comparison, title: string): void {
  const canvas = document.createElement('canvas');
  canvas.width = SIDE + 2 * MARGIN;
  canvas.height = SIDE + HEAD + FOOT;
  const context = canvas.getContext('2d')!;
  const text = words(of, title);
  context.fillStyle = colour('panel');
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingEnabled = of.order.length > SIDE;
  context.drawImage(mapCanvas(picture, of), MARGIN, HEAD, SIDE, SIDE);
  context.drawImage(legendCanvas(picture.scale), MARGIN, HEAD + SIDE + 10, SIDE, 10);
  context.fillStyle = colour('ink');
  context.font = `600 17px ${getComputedStyle(document.body).fontFamily}`;
  context.fillText(text.head, MARGIN, 28, SIDE);
  context.font = `13px ${getComputedStyle(document.body).fontFamily}`;
  const [from, to] = ends(picture.scale);
  const y = HEAD + SIDE + 38;
  context.fillText(from, MARGIN, y);
  context.textAlign = 'center';
  context.fillText(text.below, MARGIN + SIDE / 2, y);
  context.textAlign = 'right';
  context.fillText(to, MARGIN + SIDE, y);
  canvas.toBlob((blob) => blob && download(fileName(of, picture, 'png'), blob, 'image/png'));
}

function legendCanvas({ palette }: Scale): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = palette.length / 4;
  canvas.height = 1;
  canvas.getContext('2d')!.putImageData(new ImageData(palette.slice(), canvas.width, 1), 0, 0);
  return canvas;
}

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[char]!);

/** Text as text, the map as an image of one pixel a pair. */
export function saveSvg(picture: Picture, of: Comparison, title: string): void {
  const { head, below } = words(of, title);
  const [from, to] = ends(picture.scale);
  const [width, height] = [SIDE + 2 * MARGIN, SIDE + HEAD + FOOT];
  const image = (canvas: HTMLCanvasElement, y: number, h: number) =>
    `<image x="${MARGIN}" y="${y}" width="${SIDE}" height="${h}" preserveAspectRatio="none" style="image-rendering:pixelated" href="${canvas.toDataURL()}"/>`;
  const text = (content: string, x: number, y: number, more = '') =>
    `<text x="${x}" y="${y}" ${more}>${escaped(content)}</text>`;
  const y = HEAD + SIDE + 38;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="13">
<rect width="100%" height="100%" fill="#fff"/>
${text(head, MARGIN, 28, 'font-size="17" font-weight="600"')}
${image(mapCanvas(picture, of), HEAD, SIDE)}
${image(legendCanvas(picture.scale), HEAD + SIDE + 10, 10)}
${text(from, MARGIN, y)}
${text(below, MARGIN + SIDE / 2, y, 'text-anchor="middle"')}
${text(to, MARGIN + SIDE, y, 'text-anchor="end"')}
</svg>
`;
  download(fileName(of, picture, 'svg'), svg, 'image/svg+xml');
}

/** The matrix: a row and a column a drawn kernel, in the order of the picture. */
export function saveCsv(picture: Picture, of: Comparison): void {
  download(fileName(of, picture, 'csv'), matrixCsv(picture, of), 'text/csv');
}
