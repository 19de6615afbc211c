/** Where the time of a training step goes: the button, its progress and what it found. */

import type { Profile } from '../../api';
import { download } from '../files';
import { bytes, count, milliseconds, operations, significant } from '../format';
import { JobButton } from '../job-button';
import { type ProfileState, profileObstacle, profileStep, profiling, stopProfile } from './profile';
import { ProfileBars } from './profile-bars';
import { ProfileTable } from './profile-table';

export function ProfilePanel() {
  const now = profiling.value;
  const obstacle = profileObstacle.value;
  const isRunning = now.state === 'running';
  return (
    <section class="panel profile" aria-labelledby="profile-title">
      <h2 id="profile-title">Where the time goes</h2>
      <p class="hint">
        Runs one training step of the network and settings above a few times and times each dispatch, that is
        each start of a GPU program (shader). It works on made-up numbers and trains nothing.
      </p>
      <div class="row">
        <JobButton
          start="Profile a step"
          stop="Stop the profile"
          isRunning={isRunning}
          isStopping={now.state === 'running' && now.isStopping}
          obstacle={obstacle && 'profile-obstacle'}
          onStart={profileStep}
          onStop={stopProfile}
        />
        {now.state === 'ready' && (
          <button
            type="button"
            class="link"
            onClick={() =>
              download('profile.json', `${JSON.stringify(now.profile, null, 2)}\n`, 'application/json')
            }
          >
            profile.json
          </button>
        )}
        {obstacle && (
          <p class="hint" id="profile-obstacle">
            {obstacle}
          </p>
        )}
      </div>
      <Found now={now} />
    </section>
  );
}

function Found({ now }: { now: ProfileState }) {
  switch (now.state) {
    case 'none':
      return null;
    case 'running': {
      const { message, done } = now.progress;
      return (
        <div class="profile-progress">
          <p role="status">{now.isStopping ? 'Stopping after this run' : message}</p>
          <progress max={1} value={done} aria-label="Progress of the profile" />
        </div>
      );
    }
    case 'failed':
      return (
        <p class="error" role="alert">
          {now.why}
        </p>
      );
    case 'ready':
      return <Outcome profile={now.profile} />;
  }
}

const methods: Record<Profile['method'], string> = {
  timestamps: 'by the device’s own clock (timestamp queries)',
  waiting: 'by waiting for its end, since the device gives no timestamps',
};

function Outcome({ profile }: { profile: Profile }) {
  const { name, adapter, method, rates, least, totals, runMs, dispatchMs, runs } = profile;
  return (
    <>
      <p class="profile-name">
        <b>{name}</b> on {adapter}
      </p>
      <dl class="profile-figures">
        <Figure name="One step" value={`${milliseconds(runMs)} ms`} />
        <Figure name="Dispatches" value={count(totals.dispatches)} />
        <Figure name="Memory moved" value={bytes(totals.bytes)} />
        <Figure name="Arithmetic" value={operations(totals.flops)} />
        <Figure name="Peak memory" value={bytes(totals.peakBytes)} />
        <Figure name="Device copies" value={`${significant(rates.gigabytes)} GB/s`} />
        <Figure name="Device calculates" value={`${significant(rates.gigaflops)} GFLOP/s`} />
        <Figure name="A dispatch costs" value={`${significant(1000 * rates.dispatchMs)} µs`} />
      </dl>
      <p class="hint">
        At these rates the step takes at least {milliseconds(least.dispatches)} ms for its dispatches,{' '}
        {milliseconds(least.bytes)} ms for the memory that it moves, {milliseconds(least.flops)} ms for its
        arithmetic.
      </p>
      <p class="hint">
        Each dispatch was timed alone, {methods[method]}: {milliseconds(dispatchMs)} ms together, the mean of{' '}
        {runs === 1 ? '1 run' : `${count(runs)} runs`}. What the device can do was measured just before, by a
        shader that only copies, one that only multiplies and adds, and a chain of dispatches that do nothing.
        A percentage beside a rate is its part of what the device can do. Peak memory is without the images.
      </p>
      <div class="profile-parts">
        <ProfileBars profile={profile} />
        <ProfileTable profile={profile} />
      </div>
    </>
  );
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
