/** A file by its address: looked up by a click, fetched by another. */
import { signal } from '@preact/signals';
import * as Comlink from 'comlink';
import type { Fetched } from '../../remote/cache';
import type { Found } from '../../remote/found';
import { type Progress as FileProgress, retryText } from '../../remote/progress';
import '../../worker/thrown';
import { explain } from '../engine';
import { bytes } from '../format';
import { take } from '../input/take';
import type { FetchApi } from './fetch-worker';

type State =
  | { is: 'idle' }
  | { is: 'asking' }
  | { is: 'found'; found: Found }
  | { is: 'coming'; found: Found; file: number; progress: FileProgress }
  | { is: 'here'; fetched: Fetched; fromCache: boolean }
  | { is: 'failed'; why: string };

const state = signal<State>({ is: 'idle' });
const address = signal('');
/** for as long as the page is open */
const token = signal('');

let worker: Worker | undefined;
/** one for the worker's life: where a proxy is collected as garbage, Comlink lets go of the other end */
let remote: Comlink.Remote<FetchApi> | undefined;

function fetcher(): Comlink.Remote<FetchApi> {
  worker ??= new Worker(new URL('./fetch-worker.ts', import.meta.url), { type: 'module', name: 'fetch' });
  remote ??= Comlink.wrap<FetchApi>(worker);
  return remote;
}

/** What has come is kept. */
function cancel(): void {
  worker?.terminate();
  [worker, remote] = [undefined, undefined];
  state.value = { is: 'idle' };
}

async function run(work: () => Promise<State>): Promise<void> {
  fetcher();
  const mine = worker;
  const show = (next: State) => {
    // another one was stopped or asked for meanwhile
    if (worker === mine) state.value = next;
  };
  try {
    show(await work());
  } catch (error) {
    show({ is: 'failed', why: explain(error) });
  }
}

async function lookUp(): Promise<State> {
  state.value = { is: 'asking' };
  const text = address.value.trim();
  const kept = await fetcher().kept(text);
  if (!kept) return { is: 'found', found: await fetcher().look(text, token.value.trim()) };
  await take(kept.files);
  return { is: 'here', fetched: kept, fromCache: true };
}

async function bring(found: Found): Promise<State> {
  state.value = { is: 'coming', found, file: 0, progress: { bytes: 0, size: found.files[0].size } };
  const onProgress = (file: number, progress: FileProgress) => {
    if (state.value.is === 'coming') state.value = { is: 'coming', found, file, progress };
  };
  const fetched = await fetcher().bring(found, token.value.trim(), Comlink.proxy(onProgress));
  await take(fetched.files);
  return { is: 'here', fetched, fromCache: false };
}

export function FetchPanel() {
  return (
    <form
      class="fetch"
      onSubmit={(event) => {
        event.preventDefault();
        run(lookUp);
      }}
    >
      <p class="hint">
        This one thing leaves the machine: the request for the file, to the host that you name. Nothing of
        yours goes with it but the token, where you give one, to the hub.
      </p>
      <div class="field">
        <label for="address">Address</label>
        <input
          id="address"
          type="text"
          required
          spellcheck={false}
          autocomplete="off"
          placeholder="hf:owner/name, https://…"
          value={address.value}
          onInput={(event) => {
            address.value = event.currentTarget.value;
            if (state.value.is !== 'coming') state.value = { is: 'idle' };
          }}
        />
      </div>
      <div class="field">
        <label for="hub-token">Token of the hub (optional, not kept)</label>
        <input
          id="hub-token"
          type="password"
          autocomplete="off"
          value={token.value}
          onInput={(event) => {
            token.value = event.currentTarget.value;
          }}
        />
      </div>
      <Progress />
    </form>
  );
}

function Progress() {
  const now = state.value;
  if (now.is === 'coming') {
    const { found, file, progress } = now;
    const { size, retry } = progress;
    return (
      <div role="status">
        <p>
          {found.files[file].name}: {bytes(progress.bytes)}
          {size !== undefined && ` of ${bytes(size)}`}
        </p>
        <progress value={size ? progress.bytes : undefined} max={size ?? 1} aria-label="Fetched" />
        {retry && <p class="hint">{retryText(retry)}</p>}
        <button type="button" class="button small" onClick={cancel}>
          Stop
        </button>
      </div>
    );
  }
  return (
    <>
      <button type="submit" class="button small" disabled={now.is === 'asking'}>
        {now.is === 'asking' ? 'Asking …' : 'Ask for its name and size'}
      </button>
      {now.is === 'failed' && (
        <p class="error" role="alert">
          {now.why}
        </p>
      )}
      {now.is === 'found' && <FoundFiles found={now.found} />}
      {now.is === 'here' && <Here {...now} />}
    </>
  );
}

function FoundFiles({ found }: { found: Found }) {
  return (
    <>
      {found.notes.map((note) => (
        <p class="hint" key={note}>
          {note}
        </p>
      ))}
      <ul>
        {found.files.map(({ name, size }) => (
          <li key={name}>
            {name}, {size === undefined ? 'size unknown' : bytes(size)}
          </li>
        ))}
      </ul>
      <button type="button" class="button small" onClick={() => run(() => bring(found))}>
        Fetch
      </button>
    </>
  );
}

function Here({ fetched, fromCache }: { fetched: Fetched; fromCache: boolean }) {
  const { commit, files } = fetched;
  return (
    <div class="hint" role="status">
      <p>
        {fromCache
          ? 'Kept in this browser from before: nobody was asked.'
          : 'Fetched, and kept in this browser.'}
        {commit && ` Commit ${commit.slice(0, 12)}.`}
      </p>
      {files.map(({ path, sha256 }) => (
        <p key={path}>
          {path}: SHA-256 <code class="sum">{sha256}</code>
        </p>
      ))}
    </div>
  );
}
