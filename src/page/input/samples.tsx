/** Contact sheet of the built-in images. */
import { useMemo } from 'preact/hooks';
import { type BuiltinSet, generateBuiltin } from '../../data/builtin/builtin';
import type { ImagesInMemory } from '../../data/types';
import { useCanvas } from '../canvas';
import { toImageData } from '../picture';

/** images a class */
const COLUMNS = 4;

export function Samples({ set: name }: { set: BuiltinSet }) {
  const set = useMemo(() => generateBuiltin({ set: name, split: 'test', count: 10 * COLUMNS }), [name]);
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
  const { pixels, width, height } = set;
  const canvas = useCanvas(
    (context) => {
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
  const name = `${COLUMNS} images of class ${set.classes[label]}`;
  return <canvas ref={canvas} width={COLUMNS * width} height={height} role="img" aria-label={name} />;
}
