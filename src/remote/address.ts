/** What the user names in the place of a file: `hf:owner/name[@revision][/file]`, or an https URL. */
import { UserError } from '../errors';

/** A repository of the Hugging Face hub, or one file of it. */
export interface HubAddress {
  kind: 'hub';
  type: 'models' | 'datasets';
  /** `owner/name` */
  repository: string;
  /** a branch, a tag or a commit */
  revision: string;
  /** absent: which one is for the hub's list to tell */
  file?: string;
}

export interface UrlAddress {
  kind: 'url';
  url: URL;
}

export type Address = HubAddress | UrlAddress;

/** Whether a text is such an address rather than a path. */
export const isAddress = (text: string): boolean => /^(hf:|https?:\/\/)/i.test(text);

const SYNTAX = 'hf:owner/name, hf:owner/name@revision or hf:owner/name@revision/file';

/** @throws UserError where the text is none, or names what must not be asked for */
export function parseAddress(text: string): Address {
  return /^hf:/i.test(text) ? parseHub(text) : parseUrl(text);
}

/** An address in its one spelling. */
export function addressText(address: Address): string {
  if (address.kind === 'url') return address.url.href;
  const { type, repository, revision, file } = address;
  const prefix = type === 'datasets' ? 'datasets/' : '';
  const named = `hf:${prefix}${repository}@${encodeURIComponent(revision)}`;
  return file === undefined ? named : `${named}/${file}`;
}

function parseHub(text: string): HubAddress {
  // fsspec writes hf://
  const match =
    /^hf:(?:\/\/)?(datasets\/|models\/)?([^/@]+\/[^/@]+)(?:@([^/]+))?(?:\/(.*))?$/i.exec(text) ?? undefined;
  if (!match) throw new UserError(`"${text}" is no address on the hub: write ${SYNTAX}.`);
  const [, type, repository, revision = 'main', file] = match;
  return hubAddress(text, {
    type: type?.toLowerCase() === 'datasets/' ? 'datasets' : 'models',
    repository,
    // a revision with slashes in it, such as refs/pr/1, has them as %2F
    revision: decoded(revision),
    file: file === '' ? undefined : file,
  });
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

/** Its parts stand in paths that are asked for: nothing in them may lead elsewhere. */
function hubAddress(text: string, parts: Omit<HubAddress, 'kind'>): HubAddress {
  const { repository, revision, file } = parts;
  const isSafe = [...repository.split('/'), ...revision.split('/'), ...(file?.split('/') ?? [])].every(
    (part) => part !== '' && part !== '.' && part !== '..' && !/[\p{Cc}\\]/u.test(part),
  );
  const isNamed = repository.split('/').every((part) => /^[\w.-]{1,96}$/.test(part));
  if (!isSafe || !isNamed) throw new UserError(`"${text}" is no address on the hub: write ${SYNTAX}.`);
  return { kind: 'hub', ...parts };
}

/** The hub's own pages, as they are copied out of a browser. */
const HUB_HOST = /^(www\.)?(huggingface\.co|hf\.co)$/;
const HUB_PATH =
  /^\/(datasets\/)?([\w.-]+\/[\w.-]+?)\/?(?:\/(?:tree|blob|resolve)\/([^/]+)(?:\/(.+?))?\/?)?$/;

function parseUrl(text: string): Address {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new UserError(`"${text}" is no address: write https://..., or ${SYNTAX}.`);
  }
  url.hash = '';
  refuseUnsafe(url);
  const page = HUB_HOST.test(url.hostname) ? HUB_PATH.exec(url.pathname) : null;
  if (!page) return { kind: 'url', url };
  const [, data, repository, revision = 'main', file] = page;
  return hubAddress(text, {
    type: data ? 'datasets' : 'models',
    repository,
    revision: decoded(revision),
    file: file === undefined ? undefined : decoded(file),
  });
}

const isLocal = ({ hostname }: URL): boolean => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);

/**
 * @param from where a redirect came from
 * @throws UserError where a request would not be encrypted, would carry a password, or where a server sends it into this machine
 */
export function refuseUnsafe(url: URL, from?: URL): void {
  const named = shown(url);
  if (url.username || url.password)
    throw new UserError(`The address of ${url.hostname} has a name or a password in it: leave them out.`);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLocal(url)))
    throw new UserError(`${named} is not asked for: only https: is, and http: on this machine.`);
  if (from && isLocal(url) && !isLocal(from))
    throw new UserError(`${shown(from)} sends on to ${named}, on this machine: it is not asked for.`);
}

/** A URL as messages say it: what stands behind `?` may be a key to the file. */
export const shown = ({ protocol, host, pathname }: URL): string =>
  protocol === 'https:' || protocol === 'http:' ? `${protocol}//${host}${pathname}` : `${protocol}...`;

/** The name of the file that a URL or a path of the hub means, fit to be shown and kept. */
export function fileName(path: string): string {
  const last = decoded(path.split('/').filter(Boolean).at(-1) ?? '');
  const plain = last.replace(/[\p{Cc}\\/]/gu, '_').replace(/^\.+/, '');
  return plain.slice(-200) || 'file';
}
