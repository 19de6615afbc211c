/** The slowest dispatches of a profile, one a row. */
import type { DispatchProfile, Profile } from '../../api';
import { breakable } from '../breakable';
import { count, milliseconds, percent, significant } from '../format';

/** Rows; the file has them all. */
const ROWS = 40;

export function ProfileTable({ profile }: { profile: Profile }) {
  const { dispatches } = profile;
  const slowest = dispatches.toSorted((a, b) => b.ms - a.ms).slice(0, ROWS);
  return (
    <div class="profile-part">
      <h3 id="profile-dispatches">Slowest dispatches</h3>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <section class="scroll" tabIndex={0} aria-labelledby="profile-dispatches">
        <table>
          <caption>
            {slowest.length < dispatches.length
              ? `The ${ROWS} slowest of ${count(dispatches.length)}`
              : `All ${count(dispatches.length)}, the slowest first`}
          </caption>
          <thead>
            <tr>
              <th scope="col">Layer</th>
              <th scope="col" class="number">
                ms
              </th>
              <th scope="col" class="number">
                GB/s
              </th>
              <th scope="col" class="number">
                GFLOP/s
              </th>
              <th scope="col" class="number">
                of device
              </th>
            </tr>
          </thead>
          <tbody>
            {slowest.map((dispatch, i) => (
              <Row key={i} dispatch={dispatch} />
            ))}
          </tbody>
        </table>
      </section>
    </div>
  );
}

function Row({ dispatch }: { dispatch: DispatchProfile }) {
  const { label, shader, phase, ms, gigabytes, gigaflops, efficiency } = dispatch;
  // a label is the operation and the layer that it belongs to
  const [operation, ...layer] = label.split(' ');
  return (
    <tr>
      <th scope="row">
        {breakable(layer.join(' ') || operation)}
        <small>
          {breakable(shader)}, {phase}
        </small>
      </th>
      <td class="number">{milliseconds(ms)}</td>
      <td class="number">{significant(gigabytes)}</td>
      <td class="number">{significant(gigaflops)}</td>
      <td class="number">{percent(efficiency, 0)}</td>
    </tr>
  );
}
