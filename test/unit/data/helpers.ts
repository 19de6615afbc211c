import { readFileSync } from 'node:fs';
import { zipSync } from 'fflate';
import { Random } from '../../../src/data/random';
import type { LabelledImages, UserFile } from '../../../src/data/types';

/** A fixture of test/fixtures/images, or of another folder beside it. */
export function fixture(name: string, folder = 'images'): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(new URL(`../../fixtures/${folder}/${name}`, import.meta.url)));
}

/** The bytes of a set that is in memory. */
export function bytesOf({ pixels }: Pick<LabelledImages, 'pixels'>): Uint8Array<ArrayBuffer> {
  if (pixels instanceof Uint8Array) return pixels;
  throw new Error('the images are in a file');
}

export function userFile(path: string, bytes: Uint8Array<ArrayBuffer>): UserFile {
  return { path, blob: new Blob([bytes]) };
}

export function userFiles(files: Record<string, Uint8Array<ArrayBuffer>>): UserFile[] {
  return Object.entries(files).map(([path, bytes]) => userFile(path, bytes));
}

/** One zip archive of those files. */
export function zip(files: Record<string, Uint8Array>, name = 'set.zip'): UserFile[] {
  return [userFile(name, zipSync(files) as Uint8Array<ArrayBuffer>)];
}

export const text = (content: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(content);

/** A PPM of 4 x 4 pixels, another one for each seed. */
export function picture(seed: number): Uint8Array<ArrayBuffer> {
  const random = new Random(seed);
  const pixels = Uint8Array.from({ length: 48 }, () => random.index(256));
  return new Uint8Array([...text('P6 4 4 255\n'), ...pixels]);
}

let seed = 0;

/** Different pictures at those paths; `*n` after a path stands for n of them, numbered before the extension. */
export function pictures(...paths: string[]): Record<string, Uint8Array<ArrayBuffer>> {
  const files: Record<string, Uint8Array<ArrayBuffer>> = {};
  for (const path of paths) {
    const [name, times] = path.split('*');
    for (let i = 0; i < Number(times ?? 1); i++) {
      files[times === undefined ? name : `${name}/${i}.ppm`] = picture(seed++);
    }
  }
  return files;
}
