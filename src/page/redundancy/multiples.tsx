/** All layers in small, each before, now and in difference; one of them is open above. */
import { useMemo } from 'preact/hooks';
import type { LayerRedundancy } from '../../api';
import { breakable } from '../breakable';
import { useCanvas } from '../canvas';
import { significant } from '../format';
import { useGradual } from '../gradual';
import { mapPixels } from './colours';
import { compare, type Measure, type Picture, thinned } from './comparison';
import { course, isClustered, isRefocused, layerNow, measure, nowName, opened, openLayer } from './view';

const SMALL = 40;
/** Layers that come at once: each has up to three canvases, which cost a page more than rows. */
const AT_ONCE = 30;

export function Multiples() {
  const { before } = course.value;
  const { shown, more } = useGradual(before, before, AT_ONCE);
  if (before.length < 2) return null;
  return (
    <section aria-labelledby="multiples-title">
      <h3 id="multiples-title">All layers</h3>
      <p class="hint">
        Before{course.value.now.length > 0 && `, ${nowName.value} and the difference`}; ● marks layers that
        get a map. Choose one to open it above.
      </p>
      <ul class="multiples">
        {shown.map((layer) => (
          <li key={layer.name}>
            <Tile
              before={layer}
              now={layerNow(layer.name)}
              measure={measure.value}
              isClustered={isClustered.value}
            />
          </li>
        ))}
      </ul>
      {more}
    </section>
  );
}

interface TileProps {
  before: LayerRedundancy;
  now?: LayerRedundancy;
  measure: Measure;
  isClustered: boolean;
}

function Tile({ before, now, ...how }: TileProps) {
  const { pictures, order } = useMemo(
    () => compare(thinned(before, SMALL), now && thinned(now, SMALL), how),
    [before, now, how.measure, how.isClustered],
  );
  const was = significant(before[how.measure]);
  return (
    <button
      type="button"
      class="tile"
      aria-pressed={opened.value?.name === before.name}
      onClick={() => {
        openLayer.value = before.name;
      }}
    >
      <span class="tile-maps" aria-hidden="true">
        {pictures.map((picture) => (
          <Small key={picture.which} picture={picture} order={order} />
        ))}
      </span>
      <span class="tile-name">
        {isRefocused(before.name) && (
          <>
            <span aria-hidden="true">● </span>
            <span class="sr-only">with a map: </span>
          </>
        )}
        {breakable(before.name)}
      </span>
      <small>{now ? `${was} → ${significant(now[how.measure])}` : was}</small>
    </button>
  );
}

function Small({ picture: { pairs, scale }, order }: { picture: Picture; order: Uint32Array }) {
  const n = order.length;
  const canvas = useCanvas(
    (context) => context.putImageData(new ImageData(mapPixels(pairs, order, scale), n, n), 0, 0),
    [pairs, order, scale.to],
  );
  return <canvas ref={canvas} width={n} height={n} class="pixelated" />;
}
