/** A run's bundle: its files in one zip archive, at its top or in one folder, as the command line's folder packed by anybody. */
import { Zip, ZipDeflate, ZipPassThrough } from 'fflate';
import type { UserFile } from '../data/types';
import { UserError } from '../errors';
import { explainAsync } from '../io/format-error';
import { type Zip as OpenedZip, openZip } from '../io/zip';
import { BUNDLE_FILES, bundleFolder } from './bundle-folder';
import type { OpenRunFile } from './run-files';

/** Bytes that a bundle unpacks to at most: weights do not shrink much, so eight times the archive is generous. */
const mostInflated = (size: number): number => Math.max(2 ** 28, 8 * size);

export interface Bundle {
  /** the files of `BUNDLE_FILES` that are there */
  names: string[];
  open: OpenRunFile;
}

/**
 * Opens a bundle; its files are inflated as they are asked for, within limits.
 * @throws UserError where it is no zip archive, or holds no run
 */
export async function openBundle({ path, blob }: UserFile): Promise<Bundle> {
  const reading = <T>(read: () => Promise<T>) =>
    explainAsync(`${path} is no bundle of a run that can be read`, 'export or pack it again', read);
  const zip: OpenedZip = await reading(() => openZip(blob, mostInflated(blob.size)));
  const folder = bundleFolder(zip.names);
  if (folder === undefined)
    throw new UserError(
      `${path} holds no run: a bundle has report.json or config.json, and weights, metrics or a checkpoint beside it.`,
    );
  const there = new Set(zip.names);
  const names = BUNDLE_FILES.filter((name) => there.has(folder + name));
  return {
    names,
    open: async (name) => (names.includes(name) ? reading(() => zip.open(folder + name)) : undefined),
  };
}

/** Bytes of a file that are packed at a time. */
const PIECE = 2 ** 22;

/** Packs files into a zip archive; text is compressed, weights are stored: they hardly shrink. */
export async function packBundle(files: readonly { name: string; blob: Blob }[]): Promise<Blob> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let failure: Error | undefined;
  const zip = new Zip((error, chunk) => {
    failure ??= error ?? undefined;
    if (chunk) parts.push(Uint8Array.from(chunk));
  });
  for (const { name, blob } of files) {
    const isText = /\.(json|jsonl|csv|txt|py|html)$/.test(name);
    const entry = isText ? new ZipDeflate(name) : new ZipPassThrough(name);
    zip.add(entry);
    for (let at = 0; at < blob.size; at += PIECE)
      entry.push(new Uint8Array(await blob.slice(at, at + PIECE).arrayBuffer()), at + PIECE >= blob.size);
    if (blob.size === 0) entry.push(new Uint8Array(0), true);
  }
  zip.end();
  if (failure) throw failure;
  return new Blob(parts, { type: 'application/zip' });
}
