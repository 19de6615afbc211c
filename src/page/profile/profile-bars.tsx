/** The step's time by shader: a bar each, filled as far as the device's own rates explain the time. */
import type { Profile, ShaderProfile } from '../../api';
import { breakable } from '../breakable';
import { count, milliseconds, percent, significant } from '../format';

/** Shaders shown at once; the rest is folded away. */
const SHOWN = 8;

export function ProfileBars({ profile }: { profile: Profile }) {
  const { shaders } = profile;
  const rest = shaders.slice(SHOWN);
  const restShare = rest.reduce((sum, { share }) => sum + share, 0);
  const bars = (list: readonly ShaderProfile[], label: string) => (
    <ol class="bars" aria-label={label}>
      {list.map((shader) => (
        <Bar key={shader.shader} shader={shader} profile={profile} />
      ))}
    </ol>
  );
  return (
    <section class="profile-part" aria-labelledby="profile-shaders">
      <h3 id="profile-shaders">By shader</h3>
      <p class="bar-legend">
        <span>
          <i class="swatch least" />
          least time that the device’s own rates allow
        </span>
        <span>
          <i class="swatch" />
          time beyond it
        </span>
      </p>
      {bars(shaders.slice(0, SHOWN), 'Time by shader')}
      {rest.length > 0 && (
        <details>
          <summary>
            {rest.length} more, {percent(restShare, 1)} of the time
          </summary>
          {bars(rest, 'Time by shader, the rest')}
        </details>
      )}
    </section>
  );
}

function Bar({ shader, profile }: { shader: ShaderProfile; profile: Profile }) {
  const { rates, shaders } = profile;
  const longest = shaders[0].ms || 1;
  const least = Math.min(1, shader.efficiency);
  return (
    <li>
      <p class="bar-head">
        <code>{breakable(shader.shader)}</code>
        <b>{percent(shader.share, 1)}</b>
        <span>{milliseconds(shader.ms)} ms</span>
      </p>
      <div class="bar" aria-hidden="true">
        <div style={{ width: `${(100 * shader.ms) / longest}%` }}>
          <div style={{ width: `${100 * least}%` }} />
        </div>
      </div>
      <p class="bar-rates">
        {shader.dispatches === 1 ? '1 dispatch' : `${count(shader.dispatches)} dispatches`}
        <span>{rate(shader.gigabytes, rates.gigabytes, 'GB/s')}</span>
        <span>{rate(shader.gigaflops, rates.gigaflops, 'GFLOP/s')}</span>
      </p>
    </li>
  );
}

/** What was reached, and the part of the device's own rate that it is. */
const rate = (reached: number, device: number, unit: string): string =>
  `${significant(reached)} ${unit} (${percent(reached / device, 0)})`;
