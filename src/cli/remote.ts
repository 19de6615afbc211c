/** Files that are named by an address, fetched into the cache. */
import { join } from 'node:path';
import type { UserFile } from '../api';
import { UserError } from '../errors';
import { addressText, parseAddress, refuseUnsafe } from '../remote/address';
import { type Fetched, keyOf } from '../remote/cache';
import { bring, findFetched, look } from '../remote/fetch';
import type { Found } from '../remote/found';
import { type Progress, retryText } from '../remote/progress';
import { PATIENCE, type Transport } from '../remote/transport';
import { bytes as amountText } from '../report/format';
import type { Context } from './command';
import { cacheFolder, folderCache } from './remote-cache';

/** What is said while files come. */
export type Teller = Pick<Context, 'note' | 'progress'>;

/**
 * The files of an address: out of the cache where they have been fetched before, which asks nobody.
 * @throws UserError where they cannot be had
 */
export async function readRemote(text: string, { note, progress }: Teller): Promise<UserFile[]> {
  const folder = cacheFolder();
  const cache = folderCache(folder);
  const kept = await findFetched(text, cache);
  if (kept) {
    const entry = join(folder, await keyOf(addressText(parseAddress(text))));
    note(`${said(kept)} is taken from the cache, without a request; delete ${entry} to ask for it anew.`);
    tellSums(kept, note);
    return kept.files;
  }
  const transport = transportFromHere();
  const found = await look(text, transport);
  announce(found, note);
  const fetched = await bring(found, cache, transport, (i, now) =>
    progress(`${found.files[i].name}: ${progressText(now)}`),
  );
  progress('');
  tellSums(fetched, note, found);
  return fetched.files;
}

function transportFromHere(): Transport {
  const endpoint = process.env.HF_ENDPOINT || 'https://huggingface.co';
  if (!URL.canParse(endpoint)) throw new UserError(`HF_ENDPOINT is no address: ${endpoint}.`);
  const hub = new URL(endpoint);
  refuseUnsafe(hub);
  return { hub, token: process.env.HF_TOKEN || undefined, isBrowser: false, patience: PATIENCE };
}

/** An address, and the commit that it stands for. Without what may be a key in a URL. */
function said({ address, commit }: Pick<Found, 'address' | 'commit'>): string {
  const plain = address.replace(/\?.*$/, '');
  return commit === undefined ? plain : `${plain} (commit ${commit.slice(0, 12)})`;
}

function announce(found: Found, note: Teller['note']): void {
  for (const line of found.notes) note(line);
  for (const { name, size } of found.files)
    note(`Fetching ${name}, ${size === undefined ? 'size unknown' : amountText(size)}, of ${said(found)}.`);
}

function progressText({ bytes, size, retry }: Progress): string {
  const share = size ? ` of ${amountText(size)}, ${Math.floor((100 * bytes) / size)} %` : '';
  return `${amountText(bytes)}${share}${retry ? `. ${retryText(retry)}` : ''}`;
}

function tellSums({ files }: Fetched, note: Teller['note'], found?: Found): void {
  for (const [i, { path, sha256 }] of files.entries())
    note(`${path}: SHA-256 ${sha256}${found?.files[i].sha256 ? ', as the hub lists it' : ''}`);
}
