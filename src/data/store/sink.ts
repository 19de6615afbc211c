import { UserError } from '../../errors';
import type { PixelFile, Pixels } from '../types';
import { amountOf } from './amount';
import { openScratch } from './open';
import type { ScratchFile } from './scratch';

/** Sets of more bytes go to a file: so much memory any machine has, also for the copy that a split makes. */
export const MEMORY_BYTES = 2 ** 28;
/** An array of more bytes is beyond some browsers. */
const MAX_ARRAY = 2 ** 31 - 1;
/** Small images are written together. */
const WRITE_BYTES = 2 ** 20;

/** Takes decoded images, one after the other. */
export interface PixelSink {
  push(image: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Ends the set. */
  finish(): Promise<Pixels>;
  /** Frees what was taken: no set comes of it. */
  abandon(): Promise<void>;
}

/** What a set will need. */
export interface Room {
  /** what messages call the source */
  name: string;
  /** images, at most */
  count: number;
  /** bytes of each */
  size: number;
  /** to a file, where there is such a thing */
  inFile?: boolean;
}

/** Throws a UserError where there is not enough room. */
export async function openSink(room: Room): Promise<PixelSink> {
  const bytes = room.count * room.size;
  const scratch = room.inFile ? await openScratch(bytes) : undefined;
  if (scratch) return fileSink(scratch, room.size);
  if (bytes <= MAX_ARRAY) return memorySink(bytes);
  throw new UserError(
    `${room.name}: ${room.count} images need ${amountOf(bytes)}, above the limit of 2 GB in memory, and there is no storage for files here; choose a smaller image size or limit the number of images.`,
  );
}

function memorySink(bytes: number): PixelSink {
  const pixels = new Uint8Array(bytes);
  let end = 0;
  return {
    async push(image) {
      pixels.set(image, end);
      end += image.length;
    },
    finish: async () => pixels.subarray(0, end),
    abandon: async () => {},
  };
}

function fileSink(file: ScratchFile, size: number): PixelSink {
  const waiting = new Uint8Array(Math.max(1, Math.floor(WRITE_BYTES / size)) * size);
  let filled = 0;
  let end = 0;
  const flush = async () => {
    await file.write(waiting.subarray(0, filled), end);
    end += filled;
    filled = 0;
  };
  return {
    async push(image) {
      waiting.set(image, filled);
      filled += image.length;
      if (filled === waiting.length) await flush();
    },
    async finish() {
      await flush();
      return pixelFile(file, end, size);
    },
    abandon: () => file.close(),
  };
}

function pixelFile(file: ScratchFile, bytes: number, size: number): PixelFile {
  return {
    bytes,
    place: file.place,
    async read(images, into) {
      const reads = Array.from(images, (image, i) =>
        file.read(into.subarray(i * size, (i + 1) * size), image * size),
      );
      await Promise.all(reads);
    },
    close: () => file.close(),
  };
}
