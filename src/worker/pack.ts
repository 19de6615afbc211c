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

/** Slices that are cut at once, 25 microseconds each: a page answers in between. */
const AT_ONCE = 500;

/** Puts the blobs back, as slices of the concatenation. */
export async function unpack(data: unknown, all: Blob): Promise<unknown> {
  let slices = 0;
  const put = async (node: unknown): Promise<unknown> => {
    if (typeof node !== 'object' || node === null) return node;
    if ('$blob' in node) {
      if (++slices % AT_ONCE === 0) await new Promise((resolve) => setTimeout(resolve));
      return all.slice(...(node as BlobRef).$blob);
    }
    if (Array.isArray(node)) {
      const list: unknown[] = [];
      for (const child of node) list.push(await put(child));
      return list;
    }
    const entries: [string, unknown][] = [];
    for (const [key, child] of Object.entries(node)) entries.push([key, await put(child)]);
    return Object.fromEntries(entries);
  };
  return put(data);
}
