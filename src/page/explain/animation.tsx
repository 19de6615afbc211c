/** Refocusing on the loaded network's own kernels, picture by picture. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { LayerRedundancy } from '../../api';
import { count, significant } from '../format';
import { Kernel, kernelScale } from '../redundancy/kernel';
import { course, layerNow, opened } from '../redundancy/view';
import { FieldInput } from '../settings/field';
import { after, framesOf, LAST, type Place, pauseOf, stepTo } from './frames';
import { groupOf, layersToShow, type ShownLayer } from './layers';
import { largest, refocusOne } from './refocusing';
import { Part, Stage } from './stage';

/** Less motion is asked for: nothing moves by itself. */
const wantsCalm = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

export function Animation() {
  const layers = layersToShow(course.value);
  const [name, setName] = useState('');
  const shown =
    layers.find(({ layer }) => layer.name === name) ??
    layers.find(({ layer }) => layer.name === opened.value?.name) ??
    layers[0];
  if (!shown) return <p class="hint">Choose a network in step 1: the pictures are of its own kernels.</p>;
  const field = {
    label: 'Layer',
    choices: layers.map(({ layer }) => ({
      value: layer.name,
      label: `${layer.name} (${count(layer.drawn.length)} kernels of ${layer.shape.slice(2).join('×')})`,
    })),
  };
  return (
    <>
      <FieldInput id="explain-layer" field={field} value={shown.layer.name} onValue={setName} />
      <Player key={shown.layer.name} shown={shown} />
    </>
  );
}

function Player({ shown }: { shown: ShownLayer }) {
  const [, , height, width] = shown.layer.shape;
  const [row, setRow] = useState(0);
  const [tap, setTap] = useState(Math.floor((height * width) / 2));
  const [place, setPlace] = useState<Place>({ frame: 0, summed: 0 });
  const [isPlaying, setPlaying] = useState(false);
  const { group, own } = groupOf(shown, row);
  const step = useMemo(() => refocusOne(group, own, tap), [shown, row, tap]);
  const frames = framesOf(shown, step);
  useEffect(() => {
    if (!isPlaying) return;
    const timer = setTimeout(
      () => {
        const next = after(place, group.planes);
        if (next) setPlace(next);
        else setPlaying(false);
      },
      pauseOf(place, group.planes),
    );
    return () => clearTimeout(timer);
  }, [isPlaying, place]);
  const go = (by: 1 | -1) => {
    setPlaying(false);
    setPlace(stepTo(place, by, group.planes));
  };
  const play = () => {
    if (place.frame === LAST) setPlace({ frame: 0, summed: 0 });
    setPlaying(!isPlaying);
  };
  const { title, text } = frames[place.frame];
  const kernels = shown.layer.drawn.length;
  return (
    <div class="animation">
      <div class="row">
        <label class="kernel-number">
          Kernel{' '}
          <input
            type="number"
            min={0}
            max={kernels - 1}
            value={row}
            onInput={({ currentTarget }) => {
              const typed = currentTarget.valueAsNumber;
              if (Number.isInteger(typed) && typed >= 0 && typed < kernels) setRow(typed);
            }}
          />{' '}
          of {count(kernels)}, counted from 0
        </label>
        <TapChoice height={height} width={width} basis={step.basis} tap={tap} onTap={setTap} />
      </div>
      <div class="row controls">
        <button type="button" class="button small" disabled={place.frame === 0} onClick={() => go(-1)}>
          Back
        </button>
        {!wantsCalm() && (
          <button type="button" class="button small primary" onClick={play}>
            {isPlaying ? 'Pause' : 'Play'}
          </button>
        )}
        <button type="button" class="button small" disabled={place.frame === LAST} onClick={() => go(1)}>
          Next
        </button>
        <p class="hint">
          {place.frame + 1} of {frames.length}
        </p>
      </div>
      {/* spoken when stepped by hand, not while it plays */}
      <div aria-live={isPlaying ? 'off' : 'polite'}>
        <h4>{title}</h4>
        <p class="prose">{text}</p>
      </div>
      <Stage step={step} group={group} own={own} tap={tap} place={place} />
      <YourRun layer={shown.layer} row={row} />
    </div>
  );
}

/** What training has done to the kernel so far: of all wishes of all its images together. */
function YourRun({ layer, row }: { layer: LayerRedundancy; row: number }) {
  const now = layerNow(layer.name);
  if (!now) return null;
  const [, , height, width] = layer.shape;
  const of = (kernels: Float32Array) => kernels.subarray(row * height * width, (row + 1) * height * width);
  const [before, after] = [of(layer.kernels), of(now.kernels)];
  const change = after.map((value, t) => value - before[t]);
  const shared = { height, width, hasNumbers: true };
  const scale = kernelScale(before, after);
  return (
    <section aria-label="What your run has done">
      <h4>What your run has made of this kernel</h4>
      <div class="equation">
        <Part name="before" note="as loaded">
          <Kernel {...shared} weights={before} scale={scale} label="Before your run" />
        </Part>
        <Part name="change" note={`at most ${significant(largest(change))}, in colours of its own`}>
          <Kernel
            {...shared}
            hasNumbers={false}
            weights={change}
            scale={kernelScale(change)}
            label="Change"
          />
        </Part>
        <Part name="now" note="after your run">
          <Kernel {...shared} weights={after} scale={scale} label="After your run" />
        </Part>
      </div>
    </section>
  );
}

interface TapChoiceProps {
  height: number;
  width: number;
  basis: ArrayLike<number>;
  tap: number;
  onTap: (tap: number) => void;
}

/** The kernel as buttons: which tap the loss would have larger. */
function TapChoice({ height, width, basis, tap, onTap }: TapChoiceProps) {
  return (
    <fieldset class="tap-choice">
      <legend>The loss asks for more of</legend>
      <div class="tap-grid" style={{ gridTemplateColumns: `repeat(${width}, auto)` }}>
        {Array.from({ length: height * width }, (_, t) => (
          <button
            key={t}
            type="button"
            aria-pressed={t === tap}
            aria-label={`Row ${Math.floor(t / width) + 1}, column ${(t % width) + 1}`}
            onClick={() => onTap(t)}
          >
            {basis[t] < 0 ? '−' : '+'}
          </button>
        ))}
      </div>
    </fieldset>
  );
}
