/** One file into the cache: where a connection breaks off, the next one goes on from there. */
import { sha256 as hashing } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { UserError } from '../errors';
import { type FileFacts, keyOf, type RemoteCache, readFileFacts } from './cache';
import type { RemoteFile } from './found';
import { digestOf } from './hub';
import type { OnProgress } from './progress';
import {
  busyFor,
  Interrupted,
  piecesOf,
  refuseFailure,
  refusePage,
  request,
  type Transport,
  wholeNumber,
} from './transport';

/** Bytes of one file: of larger ones even the checksum takes minutes. */
export const MAX_FILE = 32 * 2 ** 30;

/** Connections in a row that bring nothing new, and altogether. */
const ATTEMPTS = { idle: 5, all: 100 };

/** Milliseconds that a server may ask to wait. */
const MAX_WAIT = 60_000;

export interface Downloaded {
  key: string;
  blob: Blob;
  sha256: string;
}

/** The state of one download. */
interface Download {
  file: RemoteFile;
  key: string;
  facts: FileFacts;
  /** what the file's SHA-256 must be, where that is known */
  expected?: string;
  cache: RemoteCache;
  transport: Transport;
  onProgress: OnProgress;
}

/**
 * Brings a file into the cache, whole and checked.
 * @throws UserError where that cannot be; what has come is kept and gone on with another time
 */
export async function download(
  file: RemoteFile,
  cache: RemoteCache,
  transport: Transport,
  onProgress: OnProgress,
): Promise<Downloaded> {
  // the address of a single file is an entry of its own
  const key = await keyOf(`the bytes of ${file.url}`);
  const facts = await readFileFacts(key, cache);
  const state: Download = { file, key, facts, expected: file.sha256, cache, transport, onProgress };
  const old = await cache.content(key);
  if (facts.sha256 && old.size === facts.size && (file.sha256 ?? facts.sha256) === facts.sha256)
    return { key, blob: old, sha256: facts.sha256 };
  if (facts.sha256) await startAgain(state);
  const wasBegun = (await cache.content(key)).size > 0;
  await receive(state);
  let sum = await checksum(state);
  // parts of two versions of the file
  if (isOther(sum, state) && wasBegun) {
    await startAgain(state);
    await receive(state);
    sum = await checksum(state);
  }
  if (isOther(sum, state)) {
    await cache.remove(key);
    throw new UserError(
      `${file.name} is not the file that the hub lists: its SHA-256 is ${sum}, not ${state.expected}. It is not used; try again.`,
    );
  }
  const blob = await cache.content(key);
  await cache.writeFacts(key, { etag: state.facts.etag, size: blob.size, sha256: sum } satisfies FileFacts);
  return { key, blob, sha256: sum };
}

const isOther = (sum: string, { expected }: Download): boolean => expected !== undefined && sum !== expected;

async function startAgain(state: Download): Promise<void> {
  await state.cache.remove(state.key);
  state.facts = {};
}

/** Asks until the file is there. */
async function receive(state: Download): Promise<void> {
  const { cache, key, file, transport, onProgress } = state;
  let idle = 0;
  for (let attempt = 1; ; attempt++) {
    const before = (await cache.content(key)).size;
    let wait = transport.patience.pause * 2 ** idle;
    let why = 'the file has to be begun again';
    try {
      const asked = await receivePart(state);
      if (asked === 'done') return;
      if (asked !== 'again') [why, wait] = ['the server is busy', Math.max(wait, asked.wait)];
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
      why = error.message;
      const told = `${file.name}: ${error.message}`;
      if (idle + 1 >= ATTEMPTS.idle || attempt >= ATTEMPTS.all)
        throw new UserError(`${told}. Try again: what has come is kept.`);
    }
    const now = (await cache.content(key)).size;
    idle = now > before ? 0 : idle + 1;
    if (idle >= ATTEMPTS.idle || attempt >= ATTEMPTS.all)
      throw new UserError(`${file.name} does not come, after ${attempt} tries: try again later.`);
    onProgress({ bytes: now, size: state.facts.size ?? file.size, retry: { why, wait } });
    await pause(wait, transport.signal);
  }
}

const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal!.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });

/** One connection: from where the file ends so far, as far as it goes. */
async function receivePart(state: Download): Promise<'done' | 'again' | { wait: number }> {
  const { cache, key, file, transport } = state;
  const at = await beginning(state);
  const known = state.facts.size ?? file.size;
  if (known !== undefined && at === known) return 'done';
  const headers: Record<string, string> = at > 0 ? { range: `bytes=${at}-` } : {};
  const { etag } = state.facts;
  if (at > 0 && etag && !transport.isBrowser) headers['if-range'] = etag;
  const { response, linked } = await request(new URL(file.url), transport, { headers });
  const busy = busyFor(response);
  if (busy && (busy.wait ?? 0) <= MAX_WAIT) {
    await response.body?.cancel();
    return { wait: busy.wait ?? 0 };
  }
  // nothing is left of it, or it has become shorter
  if (response.status === 416 && at > 0) {
    await response.body?.cancel();
    await startAgain(state);
    return 'again';
  }
  if (response.status === 416) throw new UserError(`${file.name} is empty.`);
  refuseFailure(response, file.name);
  refusePage(response, file.name);
  state.expected ??= digestOf(linked.etag?.replaceAll('"', ''));
  const start = response.status === 206 ? at : 0;
  if (start > 0 && !continues(response, at, state)) {
    await response.body?.cancel();
    await startAgain(state);
    return 'again';
  }
  if (start < at) await startAgain(state);
  const size = linked.size ?? sizeSaid(response) ?? file.size;
  await refuseTooLarge(size, start, state);
  state.facts = { etag: strong(response.headers.get('etag')), size };
  await cache.writeFacts(key, state.facts);
  const end = await write(response, start, size, state);
  if (size !== undefined && end < size) throw new Interrupted('the connection broke off');
  state.facts.size = end;
  return 'done';
}

/** How many bytes are there to go on from; what cannot be told to be of the same file is thrown away. */
async function beginning(state: Download): Promise<number> {
  const at = (await state.cache.content(state.key)).size;
  const size = state.facts.size ?? state.file.size;
  const isSure = state.facts.etag !== undefined || state.expected !== undefined;
  if (at === 0 || (isSure && (size === undefined || at <= size))) return at;
  await startAgain(state);
  return 0;
}

/** Whether the rest that comes is one of the file that was begun. A browser may hide these headers. */
function continues({ headers }: Response, at: number, { facts }: Download): boolean {
  const range = /^bytes (\d+)-\d*\/(\d+|\*)$/.exec(headers.get('content-range') ?? '');
  if (range && Number(range[1]) !== at) return false;
  const total = wholeNumber(range?.[2] ?? null);
  if (total !== undefined && facts.size !== undefined && total !== facts.size) return false;
  const etag = strong(headers.get('etag'));
  return etag === undefined || facts.etag === undefined || etag === facts.etag;
}

/** An ETag that stands for the very bytes. */
const strong = (etag: string | null): string | undefined =>
  etag !== null && /^"[\x21-\x7e]*"$/.test(etag) ? etag : undefined;

function sizeSaid({ status, headers }: Response): number | undefined {
  if (headers.has('content-encoding')) return undefined;
  if (status === 206) return wholeNumber(/\/(\d+)$/.exec(headers.get('content-range') ?? '')?.[1] ?? null);
  return wholeNumber(headers.get('content-length'));
}

async function refuseTooLarge(size: number | undefined, at: number, state: Download): Promise<void> {
  const { file, cache } = state;
  if ((size ?? 0) > MAX_FILE) throw tooLarge(file);
  const room = await cache.room();
  if (size === undefined || room === undefined || size - at <= room) return;
  const [needs, has] = [size - at, room].map((bytes) => `${Math.ceil(bytes / 1e6)} MB`);
  throw new UserError(`${file.name} needs ${needs}, and ${cache.place} has room for ${has}: make some.`);
}

const tooLarge = ({ name }: RemoteFile) =>
  new UserError(`${name} is larger than ${MAX_FILE / 2 ** 30} GiB: download it yourself and name the file.`);

/** Writes what comes behind the `at` bytes that are there; returns how many are there then. */
async function write(
  response: Response,
  at: number,
  size: number | undefined,
  { file, key, cache, transport, onProgress }: Download,
): Promise<number> {
  const most = size ?? MAX_FILE;
  let end = at;
  const writer = await cache.append(key, at);
  try {
    for await (const piece of piecesOf(response, transport)) {
      if (end + piece.length > most) {
        if (size === undefined) throw tooLarge(file);
        throw new UserError(`${file.name} is longer than the ${size} bytes that were announced: try again.`);
      }
      await writer.write(piece);
      end += piece.length;
      onProgress({ bytes: end, size });
    }
  } finally {
    await writer.close();
  }
  return end;
}

/** The SHA-256 of what lies in the cache, hexadecimal. */
async function checksum({ cache, key, transport }: Download): Promise<string> {
  const hash = hashing.create();
  const reader = (await cache.content(key)).stream().getReader();
  for (;;) {
    const { done, value } = await reader.read();
    transport.signal?.throwIfAborted();
    if (done) return bytesToHex(hash.digest());
    hash.update(value);
  }
}
