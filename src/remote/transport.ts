/** Requests: redirects, tokens, timeouts, and what answers mean in words. */
import { UserError } from '../errors';
import { refuseUnsafe, shown } from './address';

/** How requests are made from here. */
export interface Transport {
  /** the hub's address */
  hub: URL;
  /** sent to the hub alone */
  token?: string;
  /**
   * A browser follows redirects itself (it leaves the token out on the way to another host), and asks a host first whether
   * it takes a header such as If-Range, which those that files lie on do not answer.
   */
  isBrowser: boolean;
  patience: Patience;
  signal?: AbortSignal;
}

/** Milliseconds. */
export interface Patience {
  /** until a server answers, and between two pieces of an answer */
  silence: number;
  /** before the first repetition; each other one waits twice as long */
  pause: number;
}

export const PATIENCE: Patience = { silence: 30_000, pause: 1000 };

/** An answer, and what the hub said of the file before it sent on to where it lies. */
export interface Answer {
  response: Response;
  linked: { etag?: string; size?: number };
}

const MAX_REDIRECTS = 8;

/** The connection broke, or nobody answered: it may work another time. */
export class Interrupted extends Error {
  override name = 'Interrupted';
}

/**
 * Asks for a URL; follows its redirects. The token goes to the hub's own host and to no other.
 * @throws UserError where a redirect is not to be followed
 * @throws Interrupted where there is no answer
 */
export async function request(
  start: URL,
  transport: Transport,
  init: { method?: 'GET' | 'HEAD'; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const linked: Answer['linked'] = {};
  let url = start;
  let isTrusted = true;
  for (let redirects = 0; ; redirects++) {
    isTrusted &&= url.origin === transport.hub.origin;
    const headers = new Headers(init.headers);
    if (isTrusted && transport.token) headers.set('authorization', `Bearer ${checkedToken(transport.token)}`);
    // sizes and places are those of the bytes as they are sent; a browser says so itself
    if (!transport.isBrowser) headers.set('accept-encoding', 'identity');
    const response = await answerOf(url, transport, { ...init, headers });
    linked.etag ??= response.headers.get('x-linked-etag') ?? undefined;
    linked.size ??= wholeNumber(response.headers.get('x-linked-size'));
    const target = response.headers.get('location');
    if (response.status < 300 || response.status > 399 || target === null) return { response, linked };
    await response.body?.cancel();
    if (redirects === MAX_REDIRECTS)
      throw new UserError(`${shown(start)} sends on more than ${MAX_REDIRECTS} times: check the address.`);
    const next = URL.canParse(target, url) ? new URL(target, url) : undefined;
    if (!next) throw new UserError(`${shown(url)} sends on to no address: the server is at fault.`);
    refuseUnsafe(next, url);
    url = next;
  }
}

async function answerOf(url: URL, transport: Transport, init: RequestInit): Promise<Response> {
  const { patience, signal, isBrowser } = transport;
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), patience.silence);
  try {
    return await fetch(url, {
      ...init,
      redirect: isBrowser ? 'follow' : 'manual',
      credentials: 'omit',
      cache: 'no-store',
      referrerPolicy: 'no-referrer',
      signal: AbortSignal.any([late.signal, ...(signal ? [signal] : [])]),
    });
  } catch (error) {
    signal?.throwIfAborted();
    const why = late.signal.aborted ? 'does not answer' : `cannot be reached${reason(error)}`;
    throw new Interrupted(`${url.host} ${why}`);
  } finally {
    clearTimeout(timer);
  }
}

/** What the system calls it: ECONNREFUSED, ENOTFOUND. Its message may have an address with a key in it. */
function reason(error: unknown): string {
  const { code } = ((error as Error).cause ?? {}) as { code?: unknown };
  return typeof code === 'string' ? ` (${code})` : '';
}

function checkedToken(token: string): string {
  if (!/^[\x21-\x7e]{1,512}$/.test(token))
    throw new UserError('The token of the hub has characters that no token has: copy it again.');
  return token;
}

/** The pieces of an answer as they come. Throws Interrupted where none comes for too long, or the connection breaks. */
export async function* piecesOf({ body, url }: Response, { patience, signal }: Transport) {
  if (!body) return;
  const host = url ? new URL(url).host : 'the server';
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await inTime(reader.read(), patience.silence, `${host} went silent`);
      signal?.throwIfAborted();
      if (done) return;
      yield value;
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw error instanceof Interrupted ? error : new Interrupted(`the connection to ${host} broke off`);
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function inTime<T>(work: Promise<T>, limit: number, otherwise: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Interrupted(otherwise)), limit);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

export const wholeNumber = (text: string | null): number | undefined =>
  text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined;

const BUSY = [408, 425, 429, 500, 502, 503, 504];

/** Whether an answer says that it may be another one later; then, after how many milliseconds, where it says so. */
export function busyFor({ status, headers }: Response): { wait?: number } | undefined {
  if (!BUSY.includes(status)) return undefined;
  const seconds = wholeNumber(headers.get('retry-after'));
  return { wait: seconds === undefined ? undefined : seconds * 1000 };
}

const HUB_ERRORS: Record<string, string> = {
  GatedRepo:
    'is given to those only who asked for it on its page: do so, then give your token (HF_TOKEN, or its field on the page)',
  RepoNotFound:
    'is not on the hub, or is private: check the name (sets of images are hf:datasets/owner/name), or give your token (HF_TOKEN, or its field on the page)',
  RevisionNotFound: 'has no such revision: check what stands behind @',
  EntryNotFound: 'has no such file: check its name on the page of the repository',
};

/**
 * @param name what was asked for, as the user calls it
 * @throws UserError for an answer that brings nothing
 */
export function refuseFailure(response: Response, name: string): void {
  const { status, headers } = response;
  if (status < 300) return;
  const said = HUB_ERRORS[headers.get('x-error-code') ?? ''] ?? HUB_ERRORS.RepoNotFound;
  const isHub = headers.has('x-error-code') || name.startsWith('hf:');
  if (isHub && [401, 403, 404].includes(status)) throw new UserError(`${name} ${said}.`);
  if (status === 401 || status === 403)
    throw new UserError(`${name} is not given to everyone (HTTP ${status}): download it yourself.`);
  if (status === 404 || status === 410)
    throw new UserError(`${name} is not there (HTTP ${status}): check the address.`);
  if (status === 429)
    throw new UserError(`${name}: the server has been asked too often; try again in some minutes.`);
  throw new UserError(`${name} cannot be had (HTTP ${status}): try again later, or download it yourself.`);
}

/** @throws UserError for an answer that is for people to look at: a page about the file, or one that asks to sign in */
export function refusePage(response: Response, name: string): void {
  if (response.ok && /^(text\/html|application\/xhtml)/i.test(response.headers.get('content-type') ?? ''))
    throw new UserError(`${name} is a page, not a file: copy the address of its download link.`);
}
