import { UserError } from '../../errors';
import { FormatError } from '../../io/format-error';
import type { UserFile } from '../types';
import { parentOf, type SourceFile } from './tree';

/** Bytes of a tar that are gone through, whatever it packs them into. */
const MAX_UNPACKED = 2 ** 32;
/** Bytes of its files that are kept in memory. */
const MAX_KEPT = 2 ** 31;
const MAX_ENTRIES = 2_000_000;
/** Links that lead to links. */
const MAX_HOPS = 8;

const BLOCK = 512;

/** Whether that block is the header of a tar's entry: its checksum holds. */
export function isTarHeader(block: Uint8Array): boolean {
  if (block.length < BLOCK || block[0] === 0) return false;
  const stated = Number.parseInt(String.fromCharCode(...block.subarray(148, 156)), 8);
  const sum = block
    .subarray(0, BLOCK)
    .reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0);
  return stated === sum;
}

/** The first block of what a gzip file packs; shorter where that is shorter or damaged. */
export async function gunzippedStart(blob: Blob): Promise<Uint8Array> {
  const reader = blob
    .slice(0, 2 ** 16)
    .stream()
    .pipeThrough(new DecompressionStream('gzip'))
    .getReader();
  const start = new Uint8Array(BLOCK);
  let length = 0;
  try {
    while (length < BLOCK) {
      const { value, done } = await reader.read();
      if (done) break;
      const part = value.subarray(0, BLOCK - length);
      start.set(part, length);
      length += part.length;
    }
  } catch {
    // cut off, as a slice must be, or no gzip at all: what came out counts
  }
  await reader.cancel().catch(() => {});
  return start.subarray(0, length);
}

/**
 * Unpacks a tar (ustar, pax, GNU's long names), gzipped or not, into memory: those files that `wanted` names; of the
 * others the names alone. Links to files inside count as the files. Throws a UserError if it is damaged or too large.
 */
export async function listTar(
  { path: name, blob }: UserFile,
  isGzip: boolean,
  wanted: (path: string) => boolean,
): Promise<SourceFile[]> {
  const { createTarDecoder } = await import('modern-tar');
  const packed = blob.stream() as ReadableStream<Uint8Array<ArrayBuffer>>;
  const bytes = isGzip ? packed.pipeThrough(new DecompressionStream('gzip')) : packed;
  const entries = bytes.pipeThrough(counted(name)).pipeThrough(createTarDecoder({ strict: true }));
  const contents = new Map<string, Blob | undefined>();
  const links = new Map<string, string>();
  const folders: string[] = [];
  let kept = 0;
  let count = 0;
  try {
    for await (const { header, body } of entries as unknown as AsyncIterable<TarEntry>) {
      if (++count > MAX_ENTRIES) throw tooLarge(name);
      if (header.name.includes('\ufffd')) {
        throw new UserError(
          `${name} has file names that are not UTF-8; make it again, as a .zip or with tar --format=pax.`,
        );
      }
      const isFile = header.type === 'file' || header.type === undefined;
      if (header.type === 'directory') folders.push(`${header.name}/`);
      // a hard link names its file from the top, a symbolic one from where it is
      if (header.type === 'link' && header.linkname) links.set(header.name, header.linkname);
      if (header.type === 'symlink' && header.linkname)
        links.set(header.name, resolve(header.name, header.linkname));
      if (!isFile || !wanted(header.name)) {
        if (isFile) contents.set(header.name, undefined);
        await body.cancel();
        continue;
      }
      kept += header.size;
      if (kept > MAX_KEPT) throw tooLarge(name);
      contents.set(header.name, await new Response(body).blob());
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${name} is a damaged tar archive; make it again, or choose the unpacked folder.`);
  }
  for (const [path, target] of links) contents.set(path, follow(target, links, contents));
  const files = [...contents].map(([path, content]) => ({
    path,
    size: content?.size ?? 0,
    read: () => bytesOf(content),
  }));
  return [...folders.map((path) => ({ path, size: 0, read: () => bytesOf(undefined) })), ...files];
}

interface TarEntry {
  header: { name: string; size: number; type?: string; linkname?: string };
  body: ReadableStream<Uint8Array<ArrayBuffer>>;
}

async function bytesOf(content: Blob | undefined): Promise<Uint8Array<ArrayBuffer>> {
  if (!content) throw new FormatError('it was not unpacked');
  return new Uint8Array(await content.arrayBuffer());
}

function counted(name: string): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  let total = 0;
  return new TransformStream({
    transform(chunk, controller) {
      total += chunk.length;
      if (total > MAX_UNPACKED) throw tooLarge(name);
      controller.enqueue(chunk);
    },
  });
}

function tooLarge(name: string): UserError {
  return new UserError(
    `${name} unpacks to more than the limits of 4 GiB and 2 GiB of images; choose the unpacked folder instead.`,
  );
}

function resolve(path: string, target: string): string {
  const names: string[] = [];
  for (const part of `${parentOf(path)}/${target}`.split('/')) {
    if (part === '..') names.pop();
    else if (part !== '' && part !== '.') names.push(part);
  }
  return names.join('/');
}

function follow(
  target: string,
  links: ReadonlyMap<string, string>,
  contents: ReadonlyMap<string, Blob | undefined>,
): Blob | undefined {
  let path: string | undefined = target;
  for (let hop = 0; path !== undefined && hop < MAX_HOPS; hop++) {
    const content = contents.get(path);
    if (content) return content;
    path = links.get(path);
  }
  return undefined;
}
