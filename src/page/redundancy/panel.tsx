/** Channel redundancy: how alike the kernels of each layer are, before training and as it goes on. */
import { useEffect, useRef } from 'preact/hooks';
import { count, significant } from '../format';
import { isBusy, shownRun } from '../run/state';
import { entryOf } from '../saved/entries';
import { FieldInput } from '../settings/field';
import { GramPicture } from './gram-picture';
import { LayersTable } from './layers-table';
import { Maps } from './maps';
import { MeansChart } from './means-chart';
import { Multiples } from './multiples';
import { PairView } from './pair-view';
import { Skeletons } from './skeletons';
import {
  comparison,
  course,
  followWatch,
  isClustered,
  isLive,
  isOfRun,
  isRunOfAnother,
  isSeen,
  lookAt,
  measure,
  opened,
  openLayer,
} from './view';

export function RedundancyPanel() {
  const panel = useRef<HTMLElement>(null);
  useEffect(() => {
    const observer = new IntersectionObserver(([entry]) => {
      isSeen.value = entry.isIntersecting;
    });
    observer.observe(panel.current!);
    return () => observer.disconnect();
  }, []);
  useEffect(followWatch, []);
  return (
    <section ref={panel} class="panel redundancy" aria-labelledby="redundancy-title">
      <h2 id="redundancy-title">Channel redundancy</h2>
      {opened.value ? (
        <>
          <Whose />
          <Words />
          <Controls />
          <Maps />
          <div class="redundancy-row">
            <PairView />
            <Skeletons />
            <Figures />
          </div>
          <Multiples />
          <div class="redundancy-halves">
            <MeansChart />
            <GramPicture />
          </div>
          <LayersTable />
        </>
      ) : (
        <p class="hint">
          The picture appears as soon as a network is chosen that has a convolution larger than 1×1.
        </p>
      )}
    </section>
  );
}

/** Which network's kernels these are. */
function Whose() {
  const name = shownRun.value && entryOf(shownRun.value.id)?.name;
  const run = isBusy.value || !name ? 'the run that is shown' : <b dir="auto">{name}</b>;
  if (!isRunOfAnother.value)
    return isOfRun.value ? (
      <p class="hint whose">Of {run}.</p>
    ) : (
      <p class="hint whose">Of the network in step 1, before training.</p>
    );
  return (
    <p class="notice quiet whose" role="status">
      {isOfRun.value ? (
        <>Of {run}, which trained another network than the one that is chosen in step 1.</>
      ) : (
        <>Of the network that is chosen in step 1; {run} trained another.</>
      )}{' '}
      <button type="button" class="button small" onClick={() => lookAt(isOfRun.value ? 'chosen' : 'run')}>
        {isOfRun.value ? 'Look at the chosen one' : 'Look at the run’s'}
      </button>
    </p>
  );
}

function Words() {
  return (
    <div class="redundancy-words">
      <p class="hint">
        Each point compares two kernels of a layer:{' '}
        {measure.value === 'divergence'
          ? 'dark pairs say nearly the same. The method’s authors report lighter pictures after training; here you see whether yours is.'
          : 'red pairs point the same way, blue ones opposite ways, pale ones have nothing in common.'}{' '}
        A layer whose kernels differ more is no proof of a better network: that is what the test accuracy is
        for, and plain fine-tuning changes these pictures too.
      </p>
      <p class="formula">
        {measure.value === 'divergence' ? (
          <>
            <var>P</var>
            <sub>i</sub> = softmax of kernel i’s K·K weights, <var>D</var>(i, j) = Σ <var>P</var>
            <sub>i</sub> log(<var>P</var>
            <sub>i</sub> / <var>P</var>
            <sub>j</sub>)
          </>
        ) : (
          <>
            cos(i, j) = Σ <var>W</var>
            <sub>i</sub>
            <var>W</var>
            <sub>j</sub> / (|<var>W</var>
            <sub>i</sub>| |<var>W</var>
            <sub>j</sub>|)
          </>
        )}
      </p>
    </div>
  );
}

function Controls() {
  const { before } = course.value;
  const choices = before.map(({ name, planes, shape }) => ({
    value: name,
    label: `${name} (${count(planes)} kernels of ${shape[2]}×${shape[3]})`,
  }));
  return (
    <div class="redundancy-controls">
      <FieldInput
        id="heat-layer"
        field={{ label: 'Layer', choices }}
        value={opened.value!.name}
        onValue={(name) => {
          openLayer.value = name;
        }}
      />
      <FieldInput
        id="heat-measure"
        field={{
          label: 'Compared by',
          choices: [
            { value: 'divergence', label: 'KL divergence' },
            { value: 'cosine', label: 'Cosine' },
          ],
        }}
        value={measure.value}
        onValue={(value) => {
          measure.value = value === 'cosine' ? 'cosine' : 'divergence';
        }}
      />
      <label class="check">
        <input
          type="checkbox"
          checked={isClustered.value}
          onChange={(event) => {
            isClustered.value = event.currentTarget.checked;
          }}
        />{' '}
        Alike kernels side by side
      </label>
      <label class="check">
        <input
          type="checkbox"
          checked={isLive.value}
          onChange={(event) => {
            isLive.value = event.currentTarget.checked;
          }}
        />{' '}
        Follow the training{isBusy.value && isLive.value ? ', every few seconds' : ''}
      </label>
    </div>
  );
}

/** The opened layer's figures in a sentence. */
function Figures() {
  const { before, now } = comparison.value!;
  const change = (was: number, is: number) => {
    const share = Math.abs(100 * (is / was - 1));
    return `${share < 0.05 ? 'less than 0.1' : share.toFixed(1)} % ${is > was ? 'more' : 'less'}`;
  };
  const { planes, drawn } = before;
  return (
    <div class="redundancy-means">
      <table class="redundancy-figures">
        <caption class="sr-only">Figures of {before.name}</caption>
        <thead>
          <tr>
            <th scope="col">{before.name}</th>
            <th scope="col" class="number">
              Before
            </th>
            <th scope="col" class="number">
              Now
            </th>
          </tr>
        </thead>
        <tbody>
          <FigureRow name="Mean KL divergence, nats" was={before.divergence} is={now?.divergence} />
          <FigureRow name="Mean cosine" was={before.cosine} is={now?.cosine} />
          <FigureRow
            name={`Effective rank, of ${before.shape[2] * before.shape[3]}`}
            was={before.effectiveRank}
            is={now?.effectiveRank}
          />
        </tbody>
      </table>
      <p class="hint">
        Means over all pairs of the layer’s {count(planes)} kernels
        {drawn.length < planes && `, of which the pictures show ${count(drawn.length)}`}.
        {now &&
          ` The kernels differ ${now.divergence === before.divergence ? 'as much as before' : `by ${change(before.divergence, now.divergence)} than before`}.`}{' '}
        Effective rank: how many independent patterns the kernels are spread over.
      </p>
    </div>
  );
}

function FigureRow({ name, was, is }: { name: string; was: number; is?: number }) {
  const show = (value: number) => (Number.isNaN(value) ? '–' : significant(value));
  return (
    <tr>
      <th scope="row">{name}</th>
      <td class="number">{show(was)}</td>
      <td class="number">{is === undefined ? '–' : show(is)}</td>
    </tr>
  );
}
