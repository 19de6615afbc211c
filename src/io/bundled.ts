/** A file that comes with the engine, under its names for Node and for a browser. */
export interface BundledFile {
  /** what `require.resolve` finds it by */
  inNode: string;
  /** the address that a build gives it */
  url: () => Promise<{ default: string }>;
}

/** Reads it: Node from disk (`SSR` is a constant of the build), a browser from where its page came from. */
export async function readBundled({ inNode, url }: BundledFile): Promise<ArrayBuffer> {
  if (import.meta.env.SSR) {
    const { createRequire } = await import('node:module');
    const { readFile } = await import('node:fs/promises');
    return new Uint8Array(await readFile(createRequire(import.meta.url).resolve(inNode))).buffer;
  }
  const { default: address } = await url();
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address} did not load (${response.status})`);
  return response.arrayBuffer();
}
