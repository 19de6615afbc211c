/**
 * Values with blobs in them, as JSON and one stream of bytes: how the command line hands files to a headless page, and how the
 * page keeps a job. A folder of 25,000 images is one request, or one file, this way.
 */

interface BlobRef {
  $blob: [start: number, end: number];
}

/** Replaces each Blob and Uint8Array in plain data by its range in the concatenation of all. */
export function pack(value: unknown): { data: unknown; blobs: Blob[] } {
  const blobs: Blob[] = [];
  let end = 0;
  const replace = (node: unknown): unknown => {
    if (node instanceof Blob || node instanceof Uint8Array) {
      const blob = node instanceof Blob ? node : new Blob([node as Uint8Array<ArrayBuffer>]);
      const start = end;
      end += blob.size;
      blobs.push(blob);
      return { $blob: [start, end] } satisfies BlobRef;
    }
    if (Array.isArray(node)) return node.map(replace);
    if (typeof node !== 'object' || node === null) return node;
    return Object.fromEntries(Object.entries(node).map(([key, child]) => [key, replace(child)]));
  };
  return { data: replace(value), blobs };
}

/** Puts the blobs back, as slices of the concatenation. */
export function unpack(data: unknown, all: Blob): unknown {
  if (Array.isArray(data)) return data.map((child) => unpack(child, all));
  if (typeof data !== 'object' || data === null) return data;
  if ('$blob' in data) return all.slice(...(data as BlobRef).$blob);
  return Object.fromEntries(Object.entries(data).map(([key, child]) => [key, unpack(child, all)]));
}
