import { UserError } from '../../errors';
import type { RawSet } from './raster';

const SIDE = 32;
const PLANE = SIDE * SIDE;
/** A label and three planes: red, green, blue. */
export const CIFAR_RECORD = 1 + 3 * PLANE;
/** CIFAR-100's has two labels before its planes. */
export const CIFAR100_RECORD = 2 + 3 * PLANE;

const CLASSES = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'];

/** Reads CIFAR-10's binary batches (3,073-byte records), one after the other. Throws a UserError. */
export function readCifar(batches: { path: string; bytes: Uint8Array }[]): RawSet {
  const records: Uint8Array[] = [];
  for (const { path, bytes } of batches) {
    if (bytes.length === 0 || bytes.length % CIFAR_RECORD !== 0) {
      throw new UserError(
        `${path} has ${bytes.length} bytes, not a multiple of CIFAR-10's ${CIFAR_RECORD} a record; download it again, or choose images in a folder for each class if it is another set.`,
      );
    }
    for (let at = 0; at < bytes.length; at += CIFAR_RECORD) {
      if (bytes[at] >= CLASSES.length) {
        throw new UserError(
          `${path}: record ${at / CIFAR_RECORD} has label ${bytes[at]}, above 9; choose a CIFAR-10 binary batch.`,
        );
      }
      records.push(bytes.subarray(at, at + CIFAR_RECORD));
    }
  }
  return {
    name: batches[0].path,
    classes: [...CLASSES],
    labels: Uint8Array.from(records, (record) => record[0]),
    width: SIDE,
    height: SIDE,
    rgb: (i) => interleave(records[i]),
  };
}

function interleave(record: Uint8Array): Uint8Array<ArrayBuffer> {
  const rgb = new Uint8Array(3 * PLANE);
  for (let i = 0; i < PLANE; i++) {
    for (let c = 0; c < 3; c++) rgb[i * 3 + c] = record[1 + c * PLANE + i];
  }
  return rgb;
}
