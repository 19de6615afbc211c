/** A figure of the view as files: as it is drawn in a report, and its numbers. */
import { download } from '../files';

interface SaveFigureProps {
  /** of the files, without an ending */
  name: string;
  title: string;
  svg: () => Promise<string>;
  csv: () => string;
}

export function SaveFigure({ name, title, svg, csv }: SaveFigureProps) {
  const kinds = {
    PNG: async () => download(`${name}.png`, await pngOf(await svg()), 'image/png'),
    SVG: async () => download(`${name}.svg`, await svg(), 'image/svg+xml'),
    CSV: () => download(`${name}.csv`, csv(), 'text/csv'),
  };
  return (
    <span class="row">
      {Object.entries(kinds).map(([kind, save]) => (
        <button key={kind} type="button" class="link" onClick={save}>
          {kind}
          <span class="sr-only"> of {title}</span>
        </button>
      ))}
    </span>
  );
}

/** Pixels of the file a pixel of the drawing. */
const SCALE = 2;

/** Draws a document with a viewBox. Some browsers want its size in pixels, too. */
async function pngOf(svg: string): Promise<Blob> {
  const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg)!;
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [SCALE * Number(width), SCALE * Number(height)];
  const image = new Image();
  const sized = svg.replace('<svg ', `<svg width="${canvas.width}" height="${canvas.height}" `);
  image.src = `data:image/svg+xml,${encodeURIComponent(sized)}`;
  await image.decode();
  canvas.getContext('2d')!.drawImage(image, 0, 0);
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('The figure could not be drawn')))),
  );
}
