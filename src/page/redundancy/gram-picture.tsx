/** What the opened layer's Gram matrix lets refocusing change. */
import type { GramSpectrum } from '../../api';
import { count, significant } from '../format';
import { gramCsv, gramPlot, shares } from './figures';
import { Kernel, kernelScale } from './kernel';
import { SaveFigure } from './save-figure';
import { course, opened } from './view';

/** Of a picture with bars: shares below one part in so many are drawn as nothing. */
const DECADES = 4;
/** Most bars that have their kernels drawn below them. */
const MOST_DRAWN = 25;

export function GramPicture() {
  const layer = opened.value!;
  const gram = course.value.grams.get(layer.name);
  if (!gram) return null;
  const { eigenvalues, eigenkernels, directions, groups, measured, mapKernel } = gram;
  const taps = eigenvalues.length;
  const [, , height, width] = layer.shape;
  const kernels = eigenkernels && taps <= MOST_DRAWN ? eigenkernels : undefined;
  return (
    <section class="gram" aria-labelledby="gram-title">
      <h3 id="gram-title">What refocusing can change here</h3>
      <p class="hint">
        A step of SGD through a map of {mapKernel}×{mapKernel} moves the layer’s kernels by their gradient
        times the Gram matrix of the frozen ones: along each direction below by its share of the largest step.{' '}
        {sentence(gram)} Spread over <b>{significant(directions)}</b> of {count(taps)} directions
        {groups > 1 && `, the mean over ${count(measured)} of the layer’s ${count(groups)} matrices`}.
        Fine-tuning moves all of them alike. It says what is easy to change, not what is worth changing; AdamW
        and a basis that trains too are not bound by it.
      </p>
      <div
        class="gram-bars"
        role="img"
        aria-label={`Shares of the largest step: ${shares(gram).map(significant).join(', ')}`}
      >
        {shares(gram).map((share, k) => (
          <div key={k} title={`${significant(share)} of the largest step`}>
            <span class="gram-bar">
              <i style={{ height: `${barHeight(share)}%` }} />
            </span>
            {kernels && (
              <Direction
                weights={kernels.subarray(k * taps, (k + 1) * taps)}
                height={height}
                width={width}
                name={`Direction ${k + 1}`}
              />
            )}
          </div>
        ))}
      </div>
      <p class="hint">
        Height: share of the largest step, logarithmic, from 1 in 10,000 to all of it
        {kernels && '; below each bar the pattern that is added to a kernel'}.
      </p>
      <SaveFigure
        name={`${layer.name}-gram`}
        title="what refocusing can change"
        svg={() => gramPlot(gram, layer.name)}
        csv={() => gramCsv(gram)}
      />
    </section>
  );
}

function sentence({ eigenvalues }: GramSpectrum): string {
  const first = eigenvalues[0];
  const last = eigenvalues[eigenvalues.length - 1];
  if (!(first > 0)) return 'These kernels are all zero: refocusing changes nothing.';
  if (last <= first * 1e-12) return 'At least one direction is out of its reach.';
  return `The easiest direction moves ${significant(first / last)} times as far as the hardest.`;
}

/** Per cent of the bar's room. */
const barHeight = (share: number): number =>
  share > 0 ? Math.max(0, 100 * (1 + Math.log10(share) / DECADES)) : 0;

function Direction(props: { weights: Float64Array; height: number; width: number; name: string }) {
  const { weights, height, width, name } = props;
  return <Kernel weights={weights} height={height} width={width} scale={kernelScale(weights)} label={name} />;
}
