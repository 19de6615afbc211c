/** Contact sheet of the built-in images. */
import { useEffect, useState } from 'preact/hooks';
import { BUILTIN_CLASSES, BUILTIN_SIZE, type BuiltinSet, generateBuiltin } from '../../data/builtin/builtin';
import type { ImagesInMemory } from '../../data/types';
import { useCanvas } from '../canvas';
import { toImageData } from '../picture';

/** images a class */
const COLUMNS = 4;

export function Samples({ set: name }: { set: BuiltinSet }) {
  const [set, setImages] = useState<ImagesInMemory>();
  // behind the page's first frame: making them takes as long as all else of it
  useEffect(
    () => setImages(generateBuiltin({ set: name, split: 'test', count: BUILTIN_CLASSES.length * COLUMNS })),
    [name],
  );
  return (
    <ul class="samples" aria-label="Samples of the built-in images, by class">
      {BUILTIN_CLASSES.map((name, label) => (
        <li key={name}>
          <Strip set={set} label={label} />
          <span>{name}</span>
        </li>
      ))}
    </ul>
  );
}

/** The first images of one class, side by side. */
function Strip({ set, label }: { set: ImagesInMemory | undefined; label: number }) {
  const canvas = useCanvas(
    (context) => {
      if (!set) return;
      const { pixels, width, height } = set;
      const size = 3 * width * height;
      let column = 0;
      for (let image = 0; image < set.count && column < COLUMNS; image++) {
        if (set.labels[image] !== label) continue;
        const rgb = pixels.subarray(image * size, (image + 1) * size);
        context.putImageData(toImageData(rgb, width, height), column * width, 0);
        column++;
      }
    },
    [set, label],
  );
  const name = `${COLUMNS} images of class ${BUILTIN_CLASSES[label]}`;
  return (
    <canvas ref={canvas} width={COLUMNS * BUILTIN_SIZE} height={BUILTIN_SIZE} role="img" aria-label={name} />
  );
}
