/** What the network says of some test images while it trains: how sure it is of each one's own class. */
import type { LivePrediction } from '../../api';
import { count, percent } from '../format';
import { Picture } from '../picture';
import { type Live, live, plan } from './state';

export function LivePredictions() {
  const { images, looks } = live.value;
  const now = looks.at(-1);
  if (!now) return null;
  const isRight = ({ top }: LivePrediction, i: number) => top[0]?.label === images[i].label;
  const right = now.predictions.filter(isRight).length;
  const before = looks[0] === now ? undefined : looks[0].predictions.filter(isRight).length;
  return (
    <section class="live-panel" aria-labelledby="live-title">
      <h3 id="live-title">Test images, live</h3>
      <p class="hint">
        How sure the network is of each image’s own class, looked at every few seconds. After step{' '}
        {count(now.step)} it tells {right} of {images.length} right
        {before !== undefined && `, ${before} at step ${count(looks[0].step)}`}; the mark is where it was
        then.
      </p>
      <ul class="live">
        {images.map((_, i) => (
          <Card key={i} seen={live.value} i={i} />
        ))}
      </ul>
    </section>
  );
}

function Card({ seen: { images, looks }, i }: { seen: Live; i: number }) {
  const image = images[i];
  const course = looks.map(({ predictions }) => predictions[i].probability);
  const { probability, top } = looks.at(-1)!.predictions[i];
  const isRight = top[0]?.label === image.label;
  const name = (label: number): string => plan.value?.classes[label] ?? `class ${label}`;
  const said = isRight ? 'told right' : `taken for ${name(top[0].label)}`;
  return (
    <li
      class={isRight ? 'right' : 'wrong'}
      title={top.map((one) => `${name(one.label)} ${percent(one.probability, 1)}`).join('\n')}
    >
      <Picture thumbnail={{ ...image, image: String(image.image) }} label="" />
      <b dir="auto">{name(image.label)}</b>
      <div class="sure" aria-hidden="true">
        <div class="sure-fill" style={{ transform: `scaleX(${probability})` }} />
        <div class="sure-first" style={{ left: `${100 * course[0]}%` }} />
      </div>
      <small>
        {percent(probability, 0)}, <span dir="auto">{said}</span>
      </small>
      <Course values={course} />
    </li>
  );
}

/** The probability from look to look. */
function Course({ values }: { values: readonly number[] }) {
  if (values.length < 2) return null;
  const points = values.map((p, i) => `${(100 * i) / (values.length - 1)},${20 * (1 - p)}`).join(' ');
  return (
    <svg viewBox="0 0 100 20" preserveAspectRatio="none" aria-hidden="true">
      <polyline points={points} />
    </svg>
  );
}
