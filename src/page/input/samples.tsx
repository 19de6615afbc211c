/** Contact sheet of the built-in images. */
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { generateBuiltin } from '../../data/builtin/builtin';
import type { ImagesInMemory } from '../../data/types';

/** images a class */
const COLUMNS = 4;

export function Samples() {
  const set = useMemo(() => generateBuiltin({ split: 'test', count: 10 * COLUMNS }), []);
  return (
    <ul class="samples" aria-label="Samples of the built-in images, by class">
      {set.classes.map((name, label) => (
        <li key={name}>
          <Strip set={set} label={label} />
          <span>{name}</span>
        </li>
      ))}
    </ul>
  );
}

/** The first images of one class, side by side. */
function Strip({ set, label }: { set: ImagesInMemory; label: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width, height } = set;
  useEffect(() => {
    const context = canvas.current!.getContext('2d')!;
    let column = 0;
    for (let image = 0; image < set.count && column < COLUMNS; image++) {
      if (set.labels[image] !== label) continue;
      context.putImageData(toImageData(set, image), column * width, 0);
      column++;
    }
  }, [set, label]);
  const name = `${COLUMNS} images of class ${set.classes[label]}`;
  return <canvas ref={canvas} width={COLUMNS * width} height={height} role="img" aria-label={name} />;
}

function toImageData({ pixels, width, height }: ImagesInMemory, image: number): ImageData {
  const out = new ImageData(width, height);
  const offset = image * width * height * 3;
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) out.data[i * 4 + c] = pixels[offset + i * 3 + c];
    out.data[i * 4 + 3] = 255;
  }
  return out;
}
