import { digestOf } from './decode/prepare';
import { resizeAndCrop } from './images/resize';
import type { Part } from './layout/names';
import type { PartFiles } from './layout/types';
import {
  type ChosenSize,
  commonSize,
  type Look,
  lookAtFiles,
  type Packed,
  type PackOptions,
  packFiles,
} from './pack';
import { imageBytes } from './pixels';
import { breathe, type RawSet } from './raw/raster';
import { openSink } from './store/sink';

/** The images of a part of a source with the names of their classes, before any is decoded. */
export interface Candidates {
  part?: Part;
  /** the class of each image */
  labels: string[];
  /** classes in an order of their own, where the format has one */
  classes?: string[];
  /** class folders without an image */
  empty: string[];
  /** the size that these images suggest for all */
  size(chosen: number[], options: Pick<PackOptions, 'upright' | 'signal'>): Promise<ChosenSize>;
  /** what their files tell before they are decoded; images out of one file tell nothing */
  look(chosen: number[], options: Pick<PackOptions, 'signal'>): Promise<Look>;
  /** decodes the chosen ones; `labels`: what each chosen one is to be labelled as */
  pack(chosen: number[], labels: number[], options: PackOptions): Promise<Packed>;
  /** bytes of the files of the chosen ones; 0 where they are in memory */
  bytes(chosen: number[]): number;
  /** what to call an image that is left out */
  path(i: number): string;
}

export function fileCandidates(name: string, { part, files, labels, empty }: PartFiles): Candidates {
  const of = (chosen: number[]) => chosen.map((i) => files[i]);
  return {
    part,
    labels,
    empty,
    size: (chosen, options) => commonSize(of(chosen), options),
    look: (chosen, options) => lookAtFiles(of(chosen), options),
    pack: (chosen, indices, options) => packFiles(name, of(chosen), indices, options),
    bytes: (chosen) => of(chosen).reduce((sum, { size }) => sum + size, 0),
    path: (i) => files[i].path,
  };
}

export function rawCandidates(part: Part | undefined, raw: RawSet): Candidates {
  const { width, height } = raw;
  return {
    part,
    labels: Array.from(raw.labels, (label) => raw.classes[label]),
    classes: raw.classes,
    empty: [],
    size: async () => ({
      width,
      height,
      own: true,
      why: `All images are ${width}x${height} and stay so.`,
      unreadable: [],
    }),
    look: async (chosen) => ({ unreadable: [], rotated: [], digests: chosen.map(() => undefined) }),
    pack: (chosen, labels, options) => packRaw(raw, chosen, labels, options),
    bytes: () => 0,
    path: (i) => rawName(raw, i),
  };
}

/** What an image is called that has no file of its own. */
const rawName = ({ name }: RawSet, i: number) => `image ${i} of ${name}`;

/** The place of an image in its set, and the name of that, by what `rawName` calls it. */
export function rawPlace(image: string): { index: number; name?: string } {
  const [, index, name] = /^image (\d+) of (.*)$/s.exec(image) ?? [];
  return { index: Number(index), name };
}

async function packRaw(
  raw: RawSet,
  chosen: number[],
  labels: number[],
  options: PackOptions,
): Promise<Packed> {
  const { size, inFile } = options;
  const sink = await openSink({ name: raw.name, count: chosen.length, size: imageBytes(size), inFile });
  const fits = size.width === raw.width && size.height === raw.height && (options.cropPct ?? 1) === 1;
  const digests: string[] = [];
  try {
    for (const [done, index] of chosen.entries()) {
      await breathe(options, { done, total: chosen.length });
      const rgb = raw.rgb(index);
      digests.push(await digestOf(rgb, raw));
      await sink.push(fits ? rgb : resizeAndCrop(rgb, raw, size, options));
    }
    options.onProgress?.({ done: chosen.length, total: chosen.length });
    const pixels = await sink.finish();
    const count = chosen.length;
    const paths = chosen.map((index) => rawName(raw, index));
    const packed = { paths, digests, count, skipped: [], rotated: 0, resized: !fits };
    return { ...packed, pixels, labels: Uint16Array.from(labels) };
  } catch (error) {
    await sink.abandon();
    throw error;
  }
}
