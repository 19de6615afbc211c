import { UserError } from '../../errors';
import type { RawSet } from './raster';

const SIDE = 32;
const PLANE = SIDE * SIDE;
const PLANES = 3 * PLANE;

/** How a set packs an image: its labels, the last of which counts, then three planes: red, green, blue. */
interface CifarKind {
  name: string;
  labels: number;
  classes: readonly string[];
  /** images of a file at most */
  most: number;
}

const CIFAR10: CifarKind = {
  name: 'CIFAR-10',
  labels: 1,
  classes: ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'],
  most: 20_000,
};

const FINE = [
  'apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus',
  'butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab',
  'crocodile cup dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo',
  'keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain mouse',
  'mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy',
  'porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper',
  'snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television',
  'tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm',
];

const CIFAR100: CifarKind = {
  name: 'CIFAR-100',
  labels: 2,
  classes: FINE.flatMap((names) => names.split(' ')),
  most: 60_000,
};

const recordOf = ({ labels }: CifarKind) => labels + PLANES;

/** The set that a file of so many bytes is of. */
function kindOf(bytes: number): CifarKind {
  return bytes % recordOf(CIFAR10) !== 0 && bytes % recordOf(CIFAR100) === 0 ? CIFAR100 : CIFAR10;
}

/** Refuses a file of so many bytes, before it is read, which can be none of the sets'. Throws a UserError. */
export function checkCifarSize(path: string, bytes: number): void {
  const kind = kindOf(bytes);
  if (bytes > kind.most * recordOf(kind))
    throw new UserError(
      `${path} is larger than a ${kind.name} binary batch; choose the set's own files of images.`,
    );
}

/** Reads binary batches of CIFAR-10 or CIFAR-100, one after the other. Throws a UserError. */
export function readCifar(batches: { path: string; bytes: Uint8Array }[]): RawSet {
  const kind = kindOf(batches[0].bytes.length);
  const { name, labels, classes } = kind;
  const size = recordOf(kind);
  const records: Uint8Array[] = [];
  for (const { path, bytes } of batches) {
    if (bytes.length === 0 || bytes.length % size !== 0) {
      throw new UserError(
        `${path} has ${bytes.length} bytes, not a multiple of ${name}'s ${size} a record; download it again, or choose images in a folder for each class if it is another set.`,
      );
    }
    for (let at = 0; at < bytes.length; at += size) {
      const label = bytes[at + labels - 1];
      if (label >= classes.length) {
        throw new UserError(
          `${path}: record ${at / size} has label ${label}, above ${classes.length - 1}; choose a ${name} binary batch.`,
        );
      }
      records.push(bytes.subarray(at, at + size));
    }
  }
  return {
    name: batches[0].path,
    classes: [...classes],
    labels: Uint8Array.from(records, (record) => record[labels - 1]),
    width: SIDE,
    height: SIDE,
    rgb: (i) => interleave(records[i].subarray(labels)),
  };
}

function interleave(planes: Uint8Array): Uint8Array<ArrayBuffer> {
  const rgb = new Uint8Array(PLANES);
  for (let i = 0; i < PLANE; i++) {
    for (let c = 0; c < 3; c++) rgb[i * 3 + c] = planes[c * PLANE + i];
  }
  return rgb;
}
