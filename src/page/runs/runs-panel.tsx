/** The runs that are kept, to be shown, gone on with, named, taken away and compared. */
import { signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { explain } from '../engine';
import { download } from '../files';
import { bytes, count, dateAndTime, duration, percent, points } from '../format';
import { isGpuFree, series } from '../gpu-use';
import { useGradual } from '../gradual';
import { showPlace } from '../place';
import { follow } from '../run/follow';
import { wordsOf } from '../run/offers';
import { resumeSaved } from '../run/run';
import { failure, isUnderWay, shownRun, status } from '../run/state';
import { entries, goingOn, type RunEntry, strangers } from '../saved/entries';
import { isInMemory } from '../saved/run-folder';
import { showRun } from '../saved/show';
import { canGoOn, deletedRuns, deleteRun, purge, renameRun, takeBack } from '../saved/store';
import { Compare } from './compare';

/** ids of the runs that are compared */
const chosen = signal<readonly string[]>([]);

export function RunsPanel() {
  const runs = entries.value.filter(({ deleted }) => deleted === undefined);
  const compared = runs.filter(({ id }) => chosen.value.includes(id));
  return (
    <section class="panel runs" id="runs" aria-labelledby="runs-title" tabIndex={-1}>
      <h2 id="runs-title">Runs</h2>
      {series.value && (
        <p class="notice quiet" role="status">
          Run {series.value.at} of {series.value.of}: {series.value.words}. Stop ends the queue.
        </p>
      )}
      <Undo />
      <Strangers />
      {runs.length > 0 && <Table runs={runs} />}
      {compared.length === 1 && <p class="hint">Tick another run to compare the two.</p>}
      {compared.length > 1 && <Compare chosen={compared} />}
      <Room key={runs.map(({ id, state }) => `${id} ${state}`).join()} />
    </section>
  );
}

function Undo() {
  return deletedRuns().map(({ id, name }) => (
    <p key={id} class="notice quiet" role="status">
      <span dir="auto">{name}</span> is deleted.{' '}
      <button type="button" class="button small" onClick={() => takeBack(id)}>
        Take it back<span class="sr-only">: {name}</span>
      </button>
    </p>
  ));
}

function Strangers() {
  const ids = strangers.value;
  if (ids.length === 0) return null;
  return (
    <p class="notice quiet" role="status">
      {ids.length === 1 ? 'A run' : `${count(ids.length)} runs`} of another version of Refocus{' '}
      {ids.length === 1 ? 'is' : 'are'} in this browser’s storage, in a form that this one does not read.{' '}
      <button type="button" class="button small" onClick={() => Promise.all(ids.map(purge))}>
        Remove {ids.length === 1 ? 'it' : 'them'}
      </button>
    </p>
  );
}

function Table({ runs }: { runs: readonly RunEntry[] }) {
  const { shown, more } = useGradual(runs);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section class="scroll run-table" tabIndex={0} aria-label="Table of runs">
      <table>
        <thead>
          <tr>
            <th scope="col">Run</th>
            <th scope="col">State</th>
            {['Base', 'Last', 'Best', 'Time'].map((name) => (
              <th key={name} scope="col" class="number">
                {name}
              </th>
            ))}
            <th scope="col">Compare</th>
            <th scope="col">
              <span class="sr-only">What can be done with it</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map((run) => (
            <Row key={run.id} run={run} />
          ))}
        </tbody>
      </table>
      {more}
    </section>
  );
}

const STATES: Record<RunEntry['state'], string> = {
  unfinished: 'Cut off',
  broken: 'Failed',
  finished: 'Finished',
  stopped: 'Stopped',
  early: 'Ended early, no better',
  diverged: 'Diverged',
  failed: 'GPU lost',
};

function stateOf(run: RunEntry): string {
  if (goingOn.value.has(run.id)) return 'Goes on';
  const at = `${Number(run.epoch.toFixed(1))} of ${run.epochs} epochs`;
  return run.report ? STATES[run.state] : `${STATES[run.state]} at ${at}`;
}

function Row({ run }: { run: RunEntry }) {
  const { accuracy, seconds } = run.report ?? {};
  const isShown = shownRun.value?.id === run.id;
  const figure = (value: number | undefined, against?: number) => (
    <>
      {value === undefined ? '–' : percent(value)}
      {value !== undefined && against !== undefined && <small>{points(value - against)}</small>}
    </>
  );
  return (
    <tr class={isShown ? 'shown' : undefined}>
      <th scope="row">
        <Name run={run} />
        <small>
          {run.method}, seed {run.seed}, <time dateTime={run.date}>{dateAndTime(run.date)}</time>
          {(run.isVolatile || isInMemory(run.id)) && ', in this page alone: export it to keep it'}
        </small>
      </th>
      <td>
        {stateOf(run)}
        {run.error && <small class="run-error">{run.error}</small>}
      </td>
      <td class="number" data-label="Base">
        {figure(accuracy?.base)}
      </td>
      <td class="number" data-label="Last">
        {figure(accuracy?.last, accuracy?.base)}
      </td>
      <td class="number" data-label="Best">
        {figure(accuracy?.best)}
      </td>
      <td class="number" data-label="Time">
        {seconds === undefined ? '–' : duration(seconds)}
      </td>
      <td>
        <label class="tick">
          <input
            type="checkbox"
            checked={chosen.value.includes(run.id)}
            onChange={(event) => {
              const others = chosen.value.filter((id) => id !== run.id);
              chosen.value = event.currentTarget.checked ? [...others, run.id] : others;
            }}
          />
          <span class="sr-only">Compare {run.name}</span>
        </label>
      </td>
      <td>
        <Actions run={run} isShown={isShown} />
      </td>
    </tr>
  );
}

/** A run's name, which can be changed in its place. */
function Name({ run }: { run: RunEntry }) {
  const [isOpen, setOpen] = useState(false);
  if (!isOpen)
    return (
      <>
        <span class="run-name" dir="auto">
          {run.name}
        </span>{' '}
        <button type="button" class="link" onClick={() => setOpen(true)}>
          Rename<span class="sr-only"> {run.name}</span>
        </button>
      </>
    );
  const close = (name?: string) => {
    setOpen(false);
    if (name !== undefined && name !== run.name) renameRun(run.id, name);
  };
  return (
    <input
      type="text"
      aria-label={`Name of ${run.name}`}
      value={run.name}
      maxLength={200}
      dir="auto"
      ref={(element) => element?.focus()}
      onBlur={(event) => close(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === 'Enter') close(event.currentTarget.value);
        if (event.key === 'Escape') close();
      }}
    />
  );
}

function Actions({ run, isShown }: { run: RunEntry; isShown: boolean }) {
  const isOn = goingOn.value.has(run.id);
  const action = (words: string, act: () => void, isOff = false) => (
    <button type="button" class="link" disabled={isOff} onClick={act}>
      {words}
      <span class="sr-only"> {run.name}</span>
    </button>
  );
  const remedy = run.state === 'broken' && run.remedy;
  const ways = { diverged: 'Go on at a lower rate', unfinished: 'Resume' }[run.state as string] ?? 'Go on';
  const goOn = remedy ? `Go on with ${wordsOf(remedy)}` : ways;
  return (
    <div class="actions">
      {action(isShown ? 'Shown' : 'Show', () => show(run.id), isShown || isUnderWay.value)}
      {canGoOn(run) && action(goOn, () => follow(resumeSaved(run.id)), !isGpuFree.value)}
      {action('Export', () => save(run.id), isOn)}
      {action('Delete', () => deleteRun(run.id), isOn)}
    </div>
  );
}

/** Shows a run, and takes the user to it. */
async function show(id: string): Promise<void> {
  await showRun(id);
  if (status.value === 'done') showPlace('#step-3');
}

async function save(id: string): Promise<void> {
  try {
    const { exportRun } = await import('../saved/bundles');
    const { name, blob } = await exportRun(id);
    download(name, blob, 'application/zip');
  } catch (error) {
    failure.value = explain(error);
  }
}

/** What the browser's storage holds and has room for, and whether it may clear it. */
function Room() {
  const [room, setRoom] = useState<{ usage: number; quota: number; isLasting: boolean } | undefined>(
    undefined,
  );
  const look = async () => {
    const { usage = 0, quota = 0 } = await navigator.storage.estimate();
    setRoom({ usage, quota, isLasting: await navigator.storage.persisted() });
  };
  useEffect(() => {
    look().catch(() => {});
  }, []);
  if (!room) return null;
  return (
    <p class="hint room">
      {bytes(room.usage)} of this browser’s storage are used, {bytes(Math.max(0, room.quota - room.usage))}{' '}
      are left. A run’s network and images are kept once for all runs on them.{' '}
      {room.isLasting ? (
        'The browser keeps it until you clear the site’s data.'
      ) : (
        <>
          The browser may clear it when it needs room.{' '}
          <button type="button" class="link" onClick={() => navigator.storage.persist().then(look, () => {})}>
            Ask it not to
          </button>
        </>
      )}
    </p>
  );
}
