/** What an address stands for: the files, with their sizes, before any of them is fetched. */
import { addressText, fileName, parseAddress, shown } from './address';
import type { Found } from './found';
import { findOnHub } from './hub';
import { Interrupted, refuseFailure, refusePage, request, type Transport, wholeNumber } from './transport';

/**
 * @param text `hf:owner/name[@revision][/file]` or a URL
 * @throws UserError where it is none, or there is no such file
 */
export async function find(text: string, transport: Transport): Promise<Found> {
  const address = parseAddress(text);
  if (address.kind === 'hub') return findOnHub(address, transport);
  const { url } = address;
  const file = { name: fileName(url.pathname), url: url.href, size: await sizeOf(url, transport) };
  return { address: addressText(address), files: [file], notes: [] };
}

/** The size that a server says without the file; not all do. */
async function sizeOf(url: URL, transport: Transport): Promise<number | undefined> {
  try {
    const { response } = await request(url, transport, { method: 'HEAD' });
    if (response.status === 404) refuseFailure(response, shown(url));
    refusePage(response, shown(url));
    if (!response.ok || response.headers.has('content-encoding')) return undefined;
    // servers that make their answers as they go say 0
    return wholeNumber(response.headers.get('content-length')) || undefined;
  } catch (error) {
    // the file itself is tried all the same, several times
    if (error instanceof Interrupted) return undefined;
    throw error;
  }
}
