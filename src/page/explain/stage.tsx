/** What is drawn of one picture of the animation. */
import type { ComponentChildren } from 'preact';
import { significant } from '../format';
import { colourOf } from '../redundancy/colours';
import { Kernel, kernelScale } from '../redundancy/kernel';
import { LAST, type Place, SUM } from './frames';
import { type MapGroup, type Refocusing, sumOfTerms } from './refocusing';

/** Most planes of a map that are drawn; the others are counted. */
const MOST_PLANES = 48;

interface StageProps {
  step: Refocusing;
  group: MapGroup;
  /** the refocused kernel's place in its group */
  own: number;
  tap: number;
  place: Place;
}

export function Stage({ step, group, own, tap, place: { frame, summed } }: StageProps) {
  const { height, width, planes } = group;
  const taps = height * width;
  const added = frame >= SUM ? sumOfTerms(step.terms, taps, frame === SUM ? summed : planes) : undefined;
  const scale = kernelScale(step.basis, step.change);
  const kernel = (weights: ArrayLike<number>, label: string) => (
    <Kernel weights={weights} height={height} width={width} scale={scale} label={label} hasNumbers />
  );
  const refocused = step.basis.map((value, t) => value + step.change[t]);
  return (
    <div class="stage">
      <div class="equation">
        <Part name="W_b" note="frozen">
          {kernel(step.basis, 'Basis')}
        </Part>
        <Sign>+</Sign>
        <Part name="the map’s sum" note={sumNote(frame, summed, planes)}>
          {added ? kernel(added, 'Added by the map') : <ToCome height={height} width={width} />}
        </Part>
        <Sign>=</Sign>
        <Part name="W_t" note="the layer’s kernel">
          {frame > SUM ? kernel(refocused, 'Refocused kernel') : <ToCome height={height} width={width} />}
        </Part>
        {frame >= 1 && (
          <Part name="the wish" note={`+${significant(step.wish[tap])} at one tap`}>
            <Kernel
              weights={step.wish}
              height={height}
              width={width}
              scale={kernelScale(step.wish)}
              label="What the loss asks for"
            />
          </Part>
        )}
      </div>
      {(frame === 2 || frame === SUM) && (
        <MapPlanes step={step} group={group} own={own} current={summed - 1} />
      )}
      {frame === LAST && <Gram step={step} tap={tap} />}
    </div>
  );
}

function sumNote(frame: number, summed: number, planes: number): string {
  if (frame < SUM) return 'nothing yet';
  return frame === SUM ? `${summed} of ${planes} kernels` : 'all kernels';
}

interface PartProps {
  name: string;
  note: string;
  children: ComponentChildren;
}

export const Part = ({ name, note, children }: PartProps) => (
  <figure class="part">
    {children}
    <figcaption>
      {name}
      <small>{note}</small>
    </figcaption>
  </figure>
);

/** The place of a kernel that is not there yet. */
const ToCome = ({ height, width }: { height: number; width: number }) => (
  <svg class="kernel to-come" viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
    <rect width={width} height={height} />
  </svg>
);

const Sign = ({ children }: { children: string }) => (
  <span class="sign" aria-hidden="true">
    {children}
  </span>
);

/** The map's planes, each below the kernel that it reads. */
function MapPlanes({ step, group, own, current }: Omit<StageProps, 'tap' | 'place'> & { current: number }) {
  const { planes, height, width, mapKernel: k, weights } = group;
  const taps = height * width;
  const shown = Math.min(planes, MOST_PLANES);
  const kernels = Array.from({ length: shown * taps }, (_, i) => weights[i]);
  const [kernelColours, mapColours] = [kernelScale(kernels), kernelScale(step.map)];
  return (
    <figure class="map-planes">
      <ul>
        {Array.from({ length: shown }, (_, m) => (
          <li key={m} class={m === current ? 'current' : undefined}>
            <Kernel
              weights={kernels.slice(m * taps, (m + 1) * taps)}
              height={height}
              width={width}
              scale={kernelColours}
              label={`Kernel ${m}${m === own ? ', the basis itself' : ''}`}
            />
            <Kernel
              weights={step.map.subarray(m * k * k, (m + 1) * k * k)}
              height={k}
              width={k}
              scale={mapColours}
              label={`Its plane of the map`}
            />
          </li>
        ))}
      </ul>
      <figcaption class="hint">
        Above each kernel that the map reads, below the {k}×{k} plane of the map that it is convolved with.
        Blue is below 0, red above.{shown < planes && ` ${planes - shown} more are not drawn.`}
      </figcaption>
    </figure>
  );
}

/** The Gram matrix; the row of the chosen tap is outlined. */
function Gram({ step: { gram, wish }, tap }: Pick<StageProps, 'step' | 'tap'>) {
  const taps = wish.length;
  const scale = kernelScale(gram);
  const side = 100 / taps;
  const row = Array.from(gram.subarray(tap * taps, (tap + 1) * taps), (value) => significant(value));
  return (
    <figure class="gram-matrix">
      <svg
        viewBox="0 0 100 100"
        role="img"
        aria-label={`Gram matrix, row of the chosen tap: ${row.join(', ')}`}
      >
        {Array.from(gram, (value, i) => (
          <rect
            key={i}
            x={(i % taps) * side}
            y={Math.floor(i / taps) * side}
            width={side}
            height={side}
            fill={colourOf(value, scale).fill}
          />
        ))}
        <rect class="outline" x={0.5} y={tap * side} width={99} height={side} fill="none" />
      </svg>
      <figcaption class="hint">
        {taps}×{taps}, from the tap that is asked for (rows) to the taps that move (columns). On the diagonal:
        how far a wish moves its own tap. Beside it: what comes along.
      </figcaption>
    </figure>
  );
}
