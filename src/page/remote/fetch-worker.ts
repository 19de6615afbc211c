/**
 * The one place of the page that asks another host, for a file that the user names: a worker of its own, whose policy alone
 * lets it (src/cli/hosts/page-headers.ts).
 */
import * as Comlink from 'comlink';
import type { Fetched } from '../../remote/cache';
import { bring, findFetched, look } from '../../remote/fetch';
import type { Found } from '../../remote/found';
import type { Progress } from '../../remote/progress';
import { PATIENCE, type Transport } from '../../remote/transport';
import '../../worker/thrown';
import { opfsCache } from './opfs-cache';

const transport = (token?: string): Transport => ({
  hub: new URL('https://huggingface.co'),
  token: token || undefined,
  isBrowser: true,
  patience: PATIENCE,
});

const api = {
  /** what is there of an address without a request */
  kept: (text: string): Promise<Fetched | undefined> => findFetched(text, opfsCache),
  look: (text: string, token: string): Promise<Found> => look(text, transport(token)),
  /** one page at a time: two would write over each other's pieces */
  bring: (found: Found, token: string, onProgress: (file: number, progress: Progress) => void) =>
    navigator.locks.request('refocus fetches', () => bring(found, opfsCache, transport(token), onProgress)),
};

export type FetchApi = typeof api;

Comlink.expose(api);
