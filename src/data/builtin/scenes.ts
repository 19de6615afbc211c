/** Scenes of several shapes, with what is where in them: for segmentation and detection. */
import { Random } from '../random';
import type { ImageObject, ImagesInMemory } from '../types';
import { BUILTIN_SIZE, type Camera } from './cameras';
import {
  type ClassRecipe,
  contrasting,
  objectColour,
  paintBackground,
  paintClutter,
  paintShape,
  RECIPES,
  tilt,
} from './paint';

/** Those of the ten shapes that are told by their outline at any size. */
const NAMES = ['cross', 'disc', 'ring', 'square', 'triangle'];
const CLASSES: ClassRecipe[] = RECIPES.filter(({ name }) => NAMES.includes(name));

/** Tries to place an object apart from the others. */
const ATTEMPTS = 10;

/** What an image gets beside its pixels. */
interface Truth {
  /** a number a pixel: 0, or the class and one */
  mask: Uint8Array;
  objects: ImageObject[];
}

/**
 * One to three shapes an image, of radius 4.5 to 8.5 pixels, hardly ever one over the other. An image's label is the class of its
 * first object, and goes round. Reproducible as the other built-in sets are.
 */
export function generateScenes(
  keys: readonly [seed: number, stream: number],
  count: number,
  camera: Camera,
): ImagesInMemory {
  const area = BUILTIN_SIZE * BUILTIN_SIZE;
  const pixels = new Uint8Array(count * area * 3);
  const masks = new Uint8Array(count * area);
  const labels = new Uint16Array(count);
  const objects: ImageObject[][] = [];
  const canvas = new Float64Array(area * 3);
  for (let image = 0; image < count; image++) {
    const random = new Random(...keys, image);
    labels[image] = image % CLASSES.length;
    const truth: Truth = { mask: masks.subarray(image * area, (image + 1) * area), objects: [] };
    paintObjects(canvas, labels[image], random, truth);
    objects.push(truth.objects);
    camera(canvas, random, pixels.subarray(image * area * 3, (image + 1) * area * 3));
  }
  const classes = CLASSES.map(({ name }) => name);
  return {
    ...{ pixels, labels, count, classes, truth: { masks, objects } },
    ...{ height: BUILTIN_SIZE, width: BUILTIN_SIZE },
  };
}

interface Circle {
  centre: [number, number];
  radius: number;
}

function paintObjects(canvas: Float64Array, first: number, random: Random, truth: Truth): void {
  const ground = paintBackground(canvas, random);
  const clutter = random.index(3);
  for (let i = 0; i < clutter; i++) paintClutter(canvas, random);
  const count = 1 + random.index(3);
  const placed: Circle[] = [];
  for (let i = 0; i < count; i++) {
    const circle = placeApart(placed, random);
    if (!circle) continue;
    placed.push(circle);
    const label = i === 0 ? first : random.index(CLASSES.length);
    const { tint, shapes, textures } = CLASSES[label];
    const colour = objectColour(tint, ground, random);
    const object = { label, left: BUILTIN_SIZE, top: BUILTIN_SIZE, right: 0, bottom: 0 };
    const inside = (x: number, y: number) => {
      truth.mask[y * BUILTIN_SIZE + x] = label + 1;
      object.left = Math.min(object.left, x);
      object.top = Math.min(object.top, y);
      object.right = Math.max(object.right, x + 1);
      object.bottom = Math.max(object.bottom, y + 1);
    };
    paintShape(canvas, random, {
      shape: shapes[0],
      texture: textures[random.index(textures.length)],
      colour,
      second: contrasting(colour, 0.6, random),
      ...circle,
      opacity: random.uniform(0.8, 1),
      turn: tilt(random),
      inside,
    });
    truth.objects.push(object);
  }
}

/** A place within the image where no other object is; undefined where none is found soon. */
function placeApart(others: readonly Circle[], random: Random): Circle | undefined {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const radius = random.uniform(4.5, 8.5);
    const margin = radius * 0.95;
    const at = () => random.uniform(margin, BUILTIN_SIZE - margin);
    const circle: Circle = { centre: [at(), at()], radius };
    const isApart = others.every(
      ({ centre: [x, y], radius: other }) =>
        (x - circle.centre[0]) ** 2 + (y - circle.centre[1]) ** 2 > (0.95 * (radius + other)) ** 2,
    );
    if (isApart) return circle;
  }
  return undefined;
}
