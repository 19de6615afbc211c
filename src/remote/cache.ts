/** Where fetched files are kept, in the browser's own storage or in a folder. */
import type { NamedBlob } from '../io/blob';
import { sha256 } from '../io/sha256';

/** The entries of a cache: each has some facts, and the bytes of a file as far as they have come. */
export interface RemoteCache {
  /** what the user calls it, for messages */
  place: string;
  /** undefined where there are none, or they cannot be read */
  readFacts(key: string): Promise<unknown>;
  writeFacts(key: string, facts: object): Promise<void>;
  /** the bytes that are there; empty where there are none */
  content(key: string): Promise<Blob>;
  /** writes on behind the `at` bytes that are there */
  append(key: string, at: number): Promise<CacheWriter>;
  remove(key: string): Promise<void>;
  /** bytes that it has room for, where that is known */
  room(): Promise<number | undefined>;
}

export interface CacheWriter {
  write(bytes: Uint8Array): Promise<void>;
  /** keeps what was written, all of the file or not */
  close(): Promise<void>;
}

/** The key of an address: names from elsewhere name no file here. */
export const keyOf = (address: string): Promise<string> => sha256(new TextEncoder().encode(address));

/** What is known of a file that was begun. */
export interface FileFacts {
  /** of the server that it lies on */
  etag?: string;
  size?: number;
  /** of the whole file; absent until it is there */
  sha256?: string;
}

/** What an address stood for when it was fetched. */
export interface AddressFacts {
  address: string;
  commit?: string;
  files: { name: string; key: string; size: number; sha256: string }[];
}

export interface Fetched {
  address: string;
  commit?: string;
  files: (NamedBlob & { sha256: string })[];
}

/** The files of an address that were fetched before, whole as they were then; undefined where one is missing. */
export async function readFetched(address: string, cache: RemoteCache): Promise<Fetched | undefined> {
  const facts = (await cache.readFacts(await keyOf(address))) as Partial<AddressFacts> | undefined;
  if (facts?.address !== address || !Array.isArray(facts.files)) return undefined;
  const files: Fetched['files'] = [];
  for (const { name, key, size, sha256 } of facts.files) {
    const blob = await cache.content(key);
    if (blob.size !== size) return undefined;
    files.push({ path: name, blob, sha256 });
  }
  return { address, commit: facts.commit, files };
}

export async function readFileFacts(key: string, cache: RemoteCache): Promise<FileFacts> {
  const { etag, size, sha256 } = ((await cache.readFacts(key)) ?? {}) as FileFacts;
  return { etag, size, sha256 };
}
