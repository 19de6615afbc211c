/** A file of the user's: a blob is read in parts, so that a large file is never in memory as a whole. */
export interface NamedBlob {
  /** its name, or its path where it came with its folder */
  path: string;
  blob: Blob;
}

/** The bytes of a part of a blob, fewer where it ends before. */
export async function bytesOf(blob: Blob, begin = 0, end = blob.size): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await blob.slice(begin, end).arrayBuffer());
}

/** The last part of a path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
