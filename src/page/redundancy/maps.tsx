/** The opened layer's pairs: before, now and the difference, in one order. */
import { useCanvas } from '../canvas';
import { count, significant } from '../format';
import { isBusy } from '../run/state';
import { around0, mapPixels, type Scale } from './colours';
import { type Comparison, measureNames, type Picture } from './comparison';
import { saveCsv, savePng, saveSvg } from './export';
import { comparison, nowName, pair, pointAt } from './view';

export function Maps() {
  const shown = comparison.value!;
  const { before, now, pictures } = shown;
  const n = before.drawn.length;
  return (
    <div class="heat-block">
      <div class="heatmaps">
        {(['before', 'now', 'difference'] as const).map((which) => {
          const picture = pictures.find((one) => one.which === which);
          return picture ? (
            <Heatmap key={which} picture={picture} of={shown} />
          ) : (
            <div key={which} class={`heatmap waiting${isBusy.value ? ' soon' : ''}`}>
              <p class="hint">{which === 'now' ? 'while it trains' : 'now − before'}</p>
            </div>
          );
        })}
      </div>
      <p class="hint">
        {n < before.planes
          ? `${count(n)} of ${count(before.planes)} kernels are shown, some of every part of the layer.`
          : `All ${count(n)} kernels are shown.`}{' '}
        Point at a pair, or focus a map and use the arrow keys.
        {!now && ' After the first steps the kernels as they are stand beside those before.'}
      </p>
    </div>
  );
}

export const titleOf = (which: Picture['which']): string =>
  which === 'now' ? nowName.value : which === 'difference' ? `${nowName.value} − before` : which;

const moves: Record<string, [number, number]> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

function Heatmap({ picture, of }: { picture: Picture; of: Comparison }) {
  const { before, now, order, measure } = of;
  const { which, pairs, scale } = picture;
  const n = order.length;
  const canvas = useCanvas(
    (context) => context.putImageData(new ImageData(mapPixels(pairs, order, scale), n, n), 0, 0),
    [pairs, order, scale.to, n],
  );
  const limit = (index: number) => Math.max(0, Math.min(n - 1, index));
  const place = { i: order.indexOf(pair.value!.i), j: order.indexOf(pair.value!.j) };
  const point = (i: number, j: number, byKey: boolean) =>
    pointAt({ layer: before.name, i: order[limit(i)], j: order[limit(j)] }, byKey);
  const onPointer = (event: PointerEvent) => {
    const box = canvas.current!.getBoundingClientRect();
    point(
      Math.floor(((event.clientY - box.top) / box.height) * n),
      Math.floor(((event.clientX - box.left) / box.width) * n),
      false,
    );
  };
  const onKey = (event: KeyboardEvent) => {
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    const far = event.shiftKey ? 10 : 1;
    point(place.i + far * move[0], place.j + far * move[1], true);
  };
  const mean =
    which === 'difference' ? now![measure] - before[measure] : (which === 'now' ? now! : before)[measure];
  const title = titleOf(which);
  return (
    <figure class="heatmap">
      <div class="heat-frame">
        <canvas
          ref={canvas}
          width={n}
          height={n}
          class={n <= 128 ? 'pixelated' : undefined}
          role="img"
          tabIndex={0}
          aria-label={`${before.name} ${title}: mean ${measureNames[measure]} ${significant(mean)}; arrow keys choose a pair`}
          onPointerMove={onPointer}
          onPointerDown={onPointer}
          onKeyDown={onKey}
        />
        <i class="hair row-hair" style={{ top: `${(100 * (place.i + 0.5)) / n}%` }} />
        <i class="hair column-hair" style={{ left: `${(100 * (place.j + 0.5)) / n}%` }} />
      </div>
      <Legend scale={scale} isDifference={which === 'difference'} measure={measure} />
      <figcaption>
        <span>
          {title}, mean <b>{significant(mean)}</b>
        </span>
        <Downloads picture={picture} of={of} title={title} />
      </figcaption>
    </figure>
  );
}

function Downloads({ picture, of, title }: { picture: Picture; of: Comparison; title: string }) {
  const kinds = [
    ['PNG', savePng],
    ['SVG', saveSvg],
    ['CSV', saveCsv],
  ] as const;
  return (
    <span class="row">
      {kinds.map(([kind, save]) => (
        <button key={kind} type="button" class="link" onClick={() => save(picture, of, title)}>
          {kind}
          <span class="sr-only"> of the picture {title}</span>
        </button>
      ))}
    </span>
  );
}

const zero = around0(1).palette;

function Legend({
  scale,
  isDifference,
  measure,
}: {
  scale: Scale;
  isDifference: boolean;
  measure: Comparison['measure'];
}) {
  const canvas = useCanvas(
    (context) => context.putImageData(new ImageData(scale.palette.slice(), 256, 1), 0, 0),
    [scale.palette],
  );
  const isTwoSided = scale.palette === zero;
  const unit = measure === 'divergence' ? ' nats' : '';
  return (
    <div class="legend">
      <span>{isTwoSided ? significant(scale.from) : '0, the same'}</span>
      <canvas ref={canvas} width={256} height={1} role="img" aria-label="Colour scale" />
      <span>
        {isDifference || measure === 'divergence' ? '≥ ' : ''}
        {significant(scale.to)}
        {unit}
      </span>
    </div>
  );
}
