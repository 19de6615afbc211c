/** Curves of arms over their seeds: means, and where the arms are few, bands from the lowest to the highest. */
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ExperimentResults } from '../../experiment/results';
import { type BandQuantity, bandOf, bandTitle, hasBands, trainedArms } from '../../report/bands';
import { COLOURS, type Point, rangeOf, ticksOf } from '../../report/chart';
import { tick } from '../format';

/** at most, pixels: where its place is narrower, so is the picture, and its words stay as large */
const MOST = 640;
const HEIGHT = 220;
const MARGIN = { left: 52, right: 10, top: 8, bottom: 24 };

export function Bands({
  results,
  quantity,
}: {
  results: ExperimentResults;
  quantity: Exclude<BandQuantity, 'training'>;
}) {
  const { runs } = results;
  const title = bandTitle(results, quantity);
  const bands = trainedArms(results).map(({ arm, label }) => ({
    label,
    ...bandOf(
      arm,
      runs.filter((run) => run.arm === arm),
      quantity,
    ),
  }));
  const isBanded = hasBands(results);
  const values = bands.flatMap(({ mean, low, high }) =>
    (isBanded ? [...low, ...high] : mean).map(({ y }) => y),
  );
  const [place, width] = useWidth(MOST, values.length > 0);
  if (values.length === 0) return null;
  const base = quantity === 'accuracy' ? baseOf(results) : undefined;
  if (base !== undefined) values.push(base);
  const last = Math.max(1, ...bands.flatMap(({ mean }) => mean.map(({ x }) => x)));
  const [bottom, top] = rangeOf(values);
  const x = (value: number) => MARGIN.left + (value / last) * (width - MARGIN.left - MARGIN.right);
  const y = (value: number) =>
    HEIGHT - MARGIN.bottom - ((value - bottom) / (top - bottom)) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const at = (points: readonly Point[]) => points.map((point) => `${x(point.x)},${y(point.y)}`).join(' ');
  return (
    <figure ref={place} class="bands">
      <figcaption class="hint">{title}, by step</figcaption>
      <svg
        viewBox={`0 0 ${width} ${HEIGHT}`}
        role="img"
        aria-label={`${title} of ${bands.map(({ label }) => label).join(', ')}`}
      >
        {ticksOf(bottom, top).map((value) => (
          <g key={value}>
            <line class="grid" x1={MARGIN.left} x2={width - MARGIN.right} y1={y(value)} y2={y(value)} />
            <text x={MARGIN.left - 6} y={y(value) + 4} text-anchor="end">
              {quantity === 'accuracy' ? `${tick(100 * value)} %` : tick(value)}
            </text>
          </g>
        ))}
        {ticksOf(0, last)
          .filter(Number.isInteger)
          .map((value) => (
            <text key={value} x={x(value)} y={HEIGHT - 6} text-anchor="middle">
              {value}
            </text>
          ))}
        {base !== undefined && (
          <line class="base" x1={MARGIN.left} x2={width - MARGIN.right} y1={y(base)} y2={y(base)} />
        )}
        {bands.map(({ arm, mean, low, high }, i) => (
          <g key={arm} class={`band ${lineClass(i)}`}>
            {isBanded && mean.length > 1 && <polygon points={at([...high, ...[...low].reverse()])} />}
            {mean.length > 1 && <polyline points={at(mean)} />}
            {mean.map((point) => (
              <circle key={point.x} cx={x(point.x)} cy={y(point.y)} r={3} />
            ))}
          </g>
        ))}
      </svg>
    </figure>
  );
}

/** The colour of an arm's line; where they begin anew, it is dashed. */
const lineClass = (i: number): string => `run-${i % COLOURS}${i >= COLOURS ? ' dashed' : ''}`;

/** Accuracy of the network that all runs start from; absent where there is none. */
const baseOf = ({ runs }: ExperimentResults): number | undefined =>
  runs.find((run) => run.accuracy.base !== undefined)?.accuracy.base;

/** The pixels that a figure has across, at most so many, as they change when a phone is turned. */
function useWidth(most: number, isDrawn: boolean) {
  const place = useRef<HTMLElement>(null);
  const [width, setWidth] = useState(most);
  useLayoutEffect(() => {
    const element = place.current;
    if (!element) return;
    const measure = () => setWidth(Math.min(most, element.clientWidth));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [isDrawn]);
  return [place, width] as const;
}

export const Legend = ({ results }: { results: ExperimentResults }) => (
  <ul class="bands-legend">
    {trainedArms(results).map(({ arm, label }, i) => (
      <li key={arm}>
        <i class={lineClass(i)} />
        <bdi>{label}</bdi>
      </li>
    ))}
    {baseOf(results) !== undefined && (
      <li>
        <i class="base" />
        Base
      </li>
    )}
  </ul>
);
