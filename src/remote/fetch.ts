/** Files by their address: found, fetched into the cache, checked, and from then on there without a request. */
import { UserError } from '../errors';
import { addressText, parseAddress } from './address';
import { type AddressFacts, type Fetched, keyOf, type RemoteCache, readFetched } from './cache';
import { download } from './download';
import { find } from './find';
import type { Found } from './found';
import type { Progress } from './progress';
import { Interrupted, type Transport } from './transport';

/** The files of an address that are in the cache. Makes no request. Throws a UserError where it is none. */
export const findFetched = (text: string, cache: RemoteCache): Promise<Fetched | undefined> =>
  readFetched(addressText(parseAddress(text)), cache);

/** What an address stands for, and how large it is. Throws a UserError where there is nothing. */
export async function look(text: string, transport: Transport): Promise<Found> {
  try {
    return await find(text, transport);
  } catch (error) {
    if (error instanceof Interrupted)
      throw new UserError(`${error.message}; try again when it can be reached.`);
    throw error;
  }
}

/**
 * Brings the files that were found into the cache.
 * @param onProgress called with a file's place in the list as it comes
 * @throws UserError where one cannot be had; what has come is kept
 */
export async function bring(
  { address, commit, files }: Found,
  cache: RemoteCache,
  transport: Transport,
  onProgress: (file: number, progress: Progress) => void,
): Promise<Fetched> {
  const facts: AddressFacts = { address, commit, files: [] };
  const fetched: Fetched = { address, commit, files: [] };
  for (const [i, file] of files.entries()) {
    const got = await download(file, cache, transport, (progress) => onProgress(i, progress));
    const { key, blob, sha256 } = got;
    facts.files.push({ name: file.name, key, size: blob.size, sha256 });
    fetched.files.push({ path: file.name, blob, sha256 });
  }
  await cache.writeFacts(await keyOf(address), facts);
  return fetched;
}
