import type { ScratchFile } from './scratch';

/**
 * Opens a scratch file that will hold so many bytes; undefined where there is no such thing (a browser without a file system
 * of its own, or one that is asked outside of a worker). Throws a UserError where there is not enough room.
 */
export async function openScratch(bytes: number): Promise<ScratchFile | undefined> {
  // `SSR` is a constant of the build: a page does not carry Node's part
  if (import.meta.env.SSR) return (await import('./node')).openNodeScratch(bytes);
  return (await import('./opfs')).openOpfsScratch(bytes);
}
