import { Random } from '../random';
import type { ImagesInMemory } from '../types';
import { BUILTIN_SIZE, type Camera, falseColourCamera, ownCamera } from './cameras';
import {
  type ClassRecipe,
  contrasting,
  objectColour,
  paintBackground,
  paintClutter,
  paintShape,
  RECIPES,
  randomColour,
  tilt,
} from './paint';
import { bar } from './shapes';

export { BUILTIN_SIZE };

/** Seed of the set that the built-in network was trained on. */
export const BUILTIN_SEED = 1;
type Split = 'train' | 'test';

interface BuiltinRecipe {
  /** its name in forms, and a sentence on what a run on it shows */
  label: string;
  help: string;
  camera: Camera;
  /** images of each split */
  counts: Record<Split, number>;
  /** keys of the splits' random streams: no two sets have a scene in common */
  streams: Record<Split, number>;
  /** whether its images have several objects, and it is known which pixels and boxes are theirs */
  hasObjects?: boolean;
}

/** By the names that command lines and reports call them. docs/builtin.md says how the second was chosen. */
export const builtinSets = {
  'builtin-camera': {
    label: 'Another camera',
    help: 'The shapes that the network knows, seen by a false-colour camera: 1,000 images to train, 1,000 to test. The network falls from 85 to 59\u00a0%, and training brings much of it back.',
    camera: falseColourCamera,
    counts: { train: 1_000, test: 1_000 },
    streams: { train: 2, test: 3 },
  },
  builtin: {
    label: 'Its own images',
    help: 'What the network was trained on until it got no better: 10,000 images to train, 2,000 to test. There is little left to gain.',
    camera: ownCamera,
    counts: { train: 10_000, test: 2_000 },
    streams: { train: 0, test: 1 },
  },
  'builtin-scenes': {
    label: 'Scenes',
    help: 'One to three shapes an image, with masks and boxes, for segmentation and detection: 1,600 images to train, 400 to test.',
    camera: ownCamera,
    counts: { train: 1_600, test: 400 },
    streams: { train: 4, test: 5 },
    hasObjects: true,
  },
} satisfies Record<string, BuiltinRecipe>;

export type BuiltinSet = keyof typeof builtinSets;

/** What runs train on that are given no images. */
export const EXAMPLE_SET: BuiltinSet = 'builtin-camera';

/** Which built-in images a run takes, and what it shows. */
export const builtinSentence = (set: BuiltinSet = 'builtin'): string =>
  `Built-in images: ${builtinSets[set].label.toLowerCase()}. ${builtinSets[set].help}`;

/** Whether it is known what is where in its images: for segmentation and detection. */
export const hasObjects = (set: BuiltinSet): boolean => 'hasObjects' in builtinSets[set];

export const isBuiltinSet = (name: string): name is BuiltinSet => Object.hasOwn(builtinSets, name);

/** Names of the classes, in the order of their labels. */
export const BUILTIN_CLASSES: readonly string[] = RECIPES.map(({ name }) => name);

export interface BuiltinOptions {
  /** default: what the built-in network was trained on */
  set?: BuiltinSet;
  split: Split;
  /** default: all */
  count?: number;
  seed?: number;
}

/** Any of the built-in sets; of scenes with what is where in them. */
export async function generateImages(options: BuiltinOptions): Promise<ImagesInMemory> {
  const { set = 'builtin', split, seed = BUILTIN_SEED } = options;
  if (!hasObjects(set)) return generateBuiltin(options);
  // few runs need them
  const { generateScenes } = await import('./scenes');
  const { camera, counts, streams }: BuiltinRecipe = builtinSets[set];
  return generateScenes([seed, streams[split]], options.count ?? counts[split], camera);
}

/**
 * A built-in image set for classification: ten classes of shapes and textures, 32x32 RGB, under random colour, size, turn, stretch,
 * place, background, clutter, occlusion, blur and noise. Every image depends on (seed, split, index) only, with integer
 * random numbers and exactly rounded arithmetic: the same bytes everywhere, and a smaller `count` is a prefix of
 * a larger one. The sets differ by their camera and their scenes. Labels go round (index mod 10), so that every prefix is balanced.
 */
export function generateBuiltin(options: BuiltinOptions): ImagesInMemory {
  const { set = 'builtin', split, seed = BUILTIN_SEED } = options;
  const { camera, counts, streams }: BuiltinRecipe = builtinSets[set];
  const count = options.count ?? counts[split];
  const imageBytes = BUILTIN_SIZE * BUILTIN_SIZE * 3;
  const pixels = new Uint8Array(count * imageBytes);
  const labels = new Uint16Array(count);
  const canvas = new Float64Array(imageBytes);
  for (let image = 0; image < count; image++) {
    const random = new Random(seed, streams[split], image);
    labels[image] = image % RECIPES.length;
    paintScene(canvas, RECIPES[labels[image]], random);
    camera(canvas, random, pixels.subarray(image * imageBytes, (image + 1) * imageBytes));
  }
  const classes = [...BUILTIN_CLASSES];
  return { pixels, labels, count, height: BUILTIN_SIZE, width: BUILTIN_SIZE, classes };
}

function paintScene(canvas: Float64Array, recipe: ClassRecipe, random: Random): void {
  const ground = paintBackground(canvas, random);
  const clutter = random.index(3);
  for (let i = 0; i < clutter; i++) paintClutter(canvas, random);
  const radius = random.uniform(8, 13.5);
  const margin = radius * 0.95;
  const centre: [number, number] = [
    random.uniform(margin, BUILTIN_SIZE - margin),
    random.uniform(margin, BUILTIN_SIZE - margin),
  ];
  const colour = objectColour(recipe.tint, ground, random);
  paintShape(canvas, random, {
    shape: recipe.shapes[random.index(recipe.shapes.length)],
    texture: recipe.textures[random.index(recipe.textures.length)],
    colour,
    second: contrasting(colour, 0.6, random),
    centre,
    radius,
    opacity: random.uniform(0.8, 1),
    turn: tilt(random),
  });
  if (random.chance(0.3)) paintOccluder(canvas, centre, radius, random);
}

/** A bar across part of the object. */
function paintOccluder(canvas: Float64Array, centre: [number, number], radius: number, random: Random): void {
  const [ox, oy] = random.direction();
  const offset = radius * random.uniform(0.3, 1);
  paintShape(canvas, random, {
    shape: bar,
    texture: 'plain',
    colour: randomColour(random),
    second: [0, 0, 0],
    centre: [centre[0] + ox * offset, centre[1] + oy * offset],
    radius: radius * random.uniform(0.9, 1.4),
    opacity: 1,
    turn: random.direction(),
  });
}
