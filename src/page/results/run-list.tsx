/** The runs that have ended since the page was opened, beside each other. */
import { duration, percent, points } from '../format';
import { finished, isBusy, shownRun } from '../run/state';
import { comparison, methodOf } from './compare';

export function RunList() {
  const shown = shownRun.value;
  const others = finished.value.filter((run) => run !== shown && shown && methodOf(run) !== methodOf(shown));
  const sentences = shown ? others.flatMap((run) => comparison(shown, run) ?? []) : [];
  return (
    <section aria-labelledby="runs-title" class="runs">
      <h3 id="runs-title">Runs</h3>
      {sentences.map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <section class="scroll" tabIndex={0} aria-label="Table of runs">
        <table>
          <thead>
            <tr>
              <th scope="col">Run</th>
              <th scope="col" class="number">
                Base
              </th>
              <th scope="col" class="number">
                Last
              </th>
              <th scope="col" class="number">
                Best
              </th>
              <th scope="col" class="number">
                Time
              </th>
            </tr>
          </thead>
          <tbody>
            {finished.value.map((run) => {
              const { report } = run.result;
              const { base, last, best } = report.accuracy;
              const isShown = run === shownRun.value;
              return (
                <tr key={run.number}>
                  <th scope="row">
                    {run.number} {report.settings.method}
                    <small>
                      {report.network.source}, seed {report.seed}
                    </small>
                    <button type="button" class="link" disabled={isShown || isBusy.value} onClick={run.show}>
                      {isShown ? 'Shown' : 'Show'}
                      <span class="sr-only"> run {run.number}</span>
                    </button>
                  </th>
                  <td class="number">{base === undefined ? '–' : percent(base)}</td>
                  <td class="number">
                    {percent(last)}
                    {base !== undefined && <small>{points(last - base)}</small>}
                  </td>
                  <td class="number">{percent(best)}</td>
                  <td class="number">{duration(report.seconds)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </section>
    </section>
  );
}
