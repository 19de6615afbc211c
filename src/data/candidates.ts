import { resizeAndCrop } from './images/resize';
import type { Part } from './layout/names';
import type { PartFiles } from './layout/types';
import { type ChosenSize, commonSize, digestOf, type Packed, type PackOptions, packFiles } from './pack';
import { allocate, breathe, type RawSet } from './raw/raster';

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
  /** decodes the chosen ones; `labels`: what each chosen one is to be labelled as */
  pack(chosen: number[], labels: number[], options: PackOptions): Promise<Packed>;
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
    pack: (chosen, indices, options) => packFiles(name, of(chosen), indices, options),
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
      why: `All images are ${width}x${height} and stay so.`,
      unreadable: [],
    }),
    pack: (chosen, labels, options) => packRaw(raw, chosen, labels, options),
    path: (i) => `image ${i} of ${raw.name}`,
  };
}

async function packRaw(
  raw: RawSet,
  chosen: number[],
  labels: number[],
  options: PackOptions,
): Promise<Packed> {
  const { width, height } = options.size;
  const pixels = allocate(raw.name, chosen.length, width, height);
  const fits = width === raw.width && height === raw.height;
  const digests: string[] = [];
  for (const [at, index] of chosen.entries()) {
    await breathe(options, { done: at, total: chosen.length });
    const rgb = raw.rgb(index);
    digests.push(await digestOf(rgb, raw));
    const scaled = fits ? rgb : resizeAndCrop(rgb, raw, options.size, options);
    pixels.set(scaled, at * width * height * 3);
  }
  options.onProgress?.({ done: chosen.length, total: chosen.length });
  return { pixels, labels: Uint16Array.from(labels), digests, count: chosen.length, skipped: [], rotated: 0 };
}
