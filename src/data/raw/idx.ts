import { UserError } from '../../errors';
import { inflateBounded } from '../inflate';
import type { RawSet } from './raster';

/** Magic numbers: unsigned bytes (8) in three dimensions, in one. */
const IMAGES = 0x00000803;
const LABELS = 0x00000801;
const MAX_BYTES = 2 ** 30;

/** A file's bytes, decompressed if they are gzip. Throws a UserError if damaged or beyond 1 GiB. */
export function gunzip(path: string, bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const excess = () => new UserError(`${path} unpacks to more than the limit of 1 GiB; choose another file.`);
  try {
    return inflateBounded(bytes, 'gzip', MAX_BYTES, excess);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${path} is a damaged gzip file; download it again.`);
  }
}

/** What an IDX file holds, by its magic number. */
export function idxKind(bytes: Uint8Array): 'images' | 'labels' | undefined {
  if (bytes.length < 8) return undefined;
  const magic = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  if (magic === IMAGES) return 'images';
  return magic === LABELS ? 'labels' : undefined;
}

interface NamedBytes {
  path: string;
  bytes: Uint8Array;
}

/**
 * Reads a pair of IDX files (MNIST's format): gray images, repeated to RGB, and their labels; classes are named by
 * their numbers, at least ten of them. Throws a UserError if the headers are wrong about the files or each other.
 */
export function readIdx(images: NamedBytes, labels: NamedBytes): RawSet {
  const header = new DataView(images.bytes.buffer, images.bytes.byteOffset, images.bytes.byteLength);
  if (images.bytes.length < 16) throw cutOff(images.path);
  const [count, height, width] = [4, 8, 12].map((at) => header.getUint32(at));
  const size = width * height;
  if (size === 0 || count === 0) throw new UserError(`${images.path} holds no image; download it again.`);
  if (images.bytes.length !== 16 + count * size) throw cutOff(images.path);
  const named = new DataView(labels.bytes.buffer, labels.bytes.byteOffset).getUint32(4);
  if (labels.bytes.length !== 8 + named) throw cutOff(labels.path);
  if (named !== count) {
    throw new UserError(
      `${images.path} has ${count} images but ${labels.path} has ${named} labels; choose the two files of one set.`,
    );
  }
  const values = labels.bytes.slice(8);
  const classes = Math.max(10, values.reduce((most, value) => Math.max(most, value), 0) + 1);
  return {
    name: images.path,
    classes: Array.from({ length: classes }, (_, i) => String(i)),
    labels: values,
    width,
    height,
    rgb: (i) => {
      const gray = images.bytes.subarray(16 + i * size, 16 + (i + 1) * size);
      const rgb = new Uint8Array(size * 3);
      for (let p = 0; p < size; p++) rgb.fill(gray[p], p * 3, p * 3 + 3);
      return rgb;
    },
  };
}

function cutOff(path: string): UserError {
  return new UserError(`${path} does not have the length that its header says; download it again.`);
}
