/** The experiments that this browser keeps: opened again, or deleted. */
import { cellsOf } from '../../experiment/cells';
import { count, dateAndTime } from '../format';
import { deleted, earlier, remove, show, takeBack } from './queue';

export function Earlier() {
  return (
    <>
      {deleted.value && (
        <p class="notice" role="status">
          <bdi>{deleted.value.experiment.name}</bdi> is deleted; its runs stay in the list of runs.{' '}
          <button type="button" class="button small" onClick={takeBack}>
            Take it back
          </button>
        </p>
      )}
      {earlier.value.length > 0 && (
        <section aria-labelledby="earlier-experiments">
          <h3 id="earlier-experiments">Earlier experiments</h3>
          <ul class="earlier-experiments">
            {earlier.value.map((kept) => {
              const { id, date, experiment, ended, diverged } = kept;
              return (
                <li key={id}>
                  <bdi>{experiment.name}</bdi>
                  <small>
                    {count(ended.length + diverged.length)} of {count(cellsOf(experiment).length)} runs
                    {date && `, begun ${dateAndTime(date)}`}
                  </small>
                  <button type="button" class="link" onClick={() => show(kept)}>
                    Open<span class="sr-only"> {experiment.name}</span>
                  </button>
                  <button type="button" class="link" onClick={() => remove(kept)}>
                    Delete<span class="sr-only"> {experiment.name}</span>
                  </button>
                </li>
              );
            })}
          </ul>
        </section>
      )}
    </>
  );
}
