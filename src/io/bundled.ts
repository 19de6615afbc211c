import { UserError } from '../errors';

/** A file that comes with the engine, under its names for Node and for a browser. */
export interface BundledFile {
  /** what `require.resolve` finds it by */
  inNode: string;
  /** the address that a build gives it */
  url: () => Promise<{ default: string }>;
}

/**
 * Reads it: Node from disk (`SSR` is a constant of the build), a browser from where its page came from.
 * @throws UserError where that does not answer
 */
export async function readBundled({ inNode, url }: BundledFile): Promise<ArrayBuffer> {
  if (import.meta.env.SSR) {
    const { createRequire } = await import('node:module');
    const { readFile } = await import('node:fs/promises');
    return new Uint8Array(await readFile(createRequire(import.meta.url).resolve(inNode))).buffer;
  }
  try {
    const { default: address } = await url();
    const response = await fetch(address);
    if (response.ok) return await response.arrayBuffer();
  } catch {
    // no connection, which says nothing that a user could read
  }
  throw new UserError(`${nameOf(inNode)} did not load: check the connection, then try again.`);
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
