/** What networks see in a few test images, where that is more than a class: a run's pictures.json. */
import * as v from 'valibot';
import { UserError } from '../errors';

/** What is told of an image: a number a pixel (0, or a class and one), or boxes. */
export interface Seen {
  mask?: Uint8Array;
  boxes?: SeenBox[];
}

/** In pixels; `score` is absent of an object that is there. */
export interface SeenBox {
  label: number;
  score?: number;
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** An image with what is there, and what networks see; `base` is absent with a new head. */
export interface Picture {
  /** RGB bytes, row by row */
  pixels: Uint8Array;
  truth: Seen;
  base?: Seen;
  last?: Seen;
}

export interface Pictures {
  height: number;
  width: number;
  classes: string[];
  images: Picture[];
}

export const PICTURES_FILE = 'pictures.json';

const text = (bytes: Uint8Array): string =>
  btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));

/** Bytes as base64, all else as it is. */
export const picturesFile = (pictures: Pictures): Uint8Array<ArrayBuffer> =>
  new TextEncoder().encode(
    JSON.stringify(pictures, (_, value) => (value instanceof Uint8Array ? text(value) : value)),
  );

const bytes = v.pipe(
  v.string(),
  v.base64(),
  v.transform((given) => Uint8Array.from(atob(given), (char) => char.charCodeAt(0))),
);
const side = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(4096));
const coordinate = v.pipe(v.number(), v.finite());
const seen = v.object({
  mask: v.optional(bytes),
  boxes: v.optional(
    v.array(
      v.object({
        label: v.pipe(v.number(), v.integer(), v.minValue(0)),
        score: v.optional(v.number()),
        ...{ left: coordinate, top: coordinate, right: coordinate, bottom: coordinate },
      }),
    ),
  ),
});
const schema = v.object({
  height: side,
  width: side,
  classes: v.array(v.string()),
  images: v.array(v.object({ pixels: bytes, truth: seen, base: v.optional(seen), last: v.optional(seen) })),
});

/** @throws UserError where it is no such file */
export function readPictures(given: string, file: string): Pictures {
  const mistaken = new UserError(`${file} holds no pictures of a run.`);
  let value: unknown;
  try {
    value = JSON.parse(given);
  } catch {
    throw mistaken;
  }
  const parsed = v.safeParse(schema, value);
  if (!parsed.success) throw mistaken;
  const { height, width, images } = parsed.output;
  const area = height * width;
  const fits = images.every(
    ({ pixels, ...networks }) =>
      pixels.length === 3 * area &&
      Object.values(networks).every((one) => one.mask === undefined || one.mask.length === area),
  );
  if (!fits) throw mistaken;
  return parsed.output;
}
