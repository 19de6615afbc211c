/** The pair that is pointed at: numbers, and both kernels before and now. */
import type { LayerRedundancy } from '../../api';
import { significant } from '../format';
import { type Measure, measureNames, pairsOf, planeName, tapsOf } from './comparison';
import { Kernel, kernelScale } from './kernel';
import { comparison, isByKey, nowName, pair } from './view';

const kernelAt = (layer: LayerRedundancy, row: number) =>
  layer.kernels.subarray(row * tapsOf(layer), (row + 1) * tapsOf(layer));

export function PairView() {
  const { before, now } = comparison.value!;
  const { i, j } = pair.value!;
  const rows = [i, j];
  const states = now ? [before, now] : [before];
  const scale = kernelScale(...states.flatMap((layer) => rows.map((row) => kernelAt(layer, row))));
  const [, , height, width] = before.shape;
  return (
    <div class="pair">
      {/* read aloud for the keyboard: a pointer passes over too many pairs */}
      <p class="readout" aria-live={isByKey.value ? 'polite' : 'off'}>
        {planeName(before, before.drawn[i])} and {planeName(before, before.drawn[j])}:{' '}
        {pairWords('divergence', i, j)}; {pairWords('cosine', i, j)}
      </p>
      <div class="pair-kernels">
        {rows.map((row, side) => (
          <figure key={side === 0 ? 'first' : 'second'}>
            <div class="pair-states">
              {states.map((layer) => (
                <div key={layer === before ? 'before' : 'now'}>
                  <Kernel
                    weights={kernelAt(layer, row)}
                    height={height}
                    width={width}
                    scale={scale}
                    hasNumbers
                    label={`Kernel of ${planeName(before, before.drawn[row])} ${layer === before ? 'before' : nowName.value}`}
                  />
                  <small>{layer === before ? 'before' : nowName.value}</small>
                </div>
              ))}
              {!now && <div />}
            </div>
            <figcaption>{planeName(before, before.drawn[row])}</figcaption>
          </figure>
        ))}
      </div>
    </div>
  );
}

function pairWords(measure: Measure, i: number, j: number): string {
  const { before, now } = comparison.value!;
  const at = i * before.drawn.length + j;
  const was = significant(pairsOf(before, measure)[at]);
  const name = measure === 'divergence' ? 'KL' : measureNames[measure];
  const when = nowName.value === 'after' ? 'after' : `at ${nowName.value}`;
  return now ? `${name} ${was} before, ${significant(pairsOf(now, measure)[at])} ${when}` : `${name} ${was}`;
}
