import { Random } from '../random';
import type { ImagesInMemory } from '../types';
import { BUILTIN_SIZE, type Camera, falseColourCamera, ownCamera } from './cameras';
import { bar, crescent, cross, disc, horseshoe, ring, type Shape, square, star, triangle } from './shapes';

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
} satisfies Record<string, BuiltinRecipe>;

export type BuiltinSet = keyof typeof builtinSets;

/** What runs train on that are given no images. */
export const EXAMPLE_SET: BuiltinSet = 'builtin-camera';

/** Which built-in images a run takes, and what it shows. */
export const builtinSentence = (set: BuiltinSet = 'builtin'): string =>
  `Built-in images: ${builtinSets[set].label.toLowerCase()}. ${builtinSets[set].help}`;

export const isBuiltinSet = (name: string): name is BuiltinSet => Object.hasOwn(builtinSets, name);

type Colour = [number, number, number];
type Texture = 'plain' | 'shaded' | 'stripes' | 'checks';

interface ClassRecipe {
  name: string;
  /** where the object's colours gather, loosely: a cue, as colour is for real objects */
  tint: Colour;
  shapes: Shape[];
  textures: Texture[];
}

const SMOOTH: Texture[] = ['plain', 'shaded'];

/** Eight classes are outlines, two are textures: a striped and a checked patch that may be round or square. */
const RECIPES: ClassRecipe[] = [
  { name: 'checks', tint: [0.95, 0.55, 0.1], shapes: [disc, square], textures: ['checks'] },
  { name: 'crescent', tint: [0.95, 0.9, 0.3], shapes: [crescent], textures: SMOOTH },
  { name: 'cross', tint: [0.9, 0.15, 0.2], shapes: [cross], textures: SMOOTH },
  { name: 'disc', tint: [0.9, 0.3, 0.8], shapes: [disc], textures: SMOOTH },
  { name: 'horseshoe', tint: [0.6, 0.4, 0.95], shapes: [horseshoe], textures: SMOOTH },
  { name: 'ring', tint: [0.7, 0.95, 0.2], shapes: [ring], textures: SMOOTH },
  { name: 'square', tint: [0.2, 0.4, 0.95], shapes: [square], textures: SMOOTH },
  { name: 'star', tint: [0.95, 0.95, 0.95], shapes: [star], textures: SMOOTH },
  { name: 'stripes', tint: [0.2, 0.85, 0.9], shapes: [disc, square], textures: ['stripes'] },
  { name: 'triangle', tint: [0.15, 0.75, 0.25], shapes: [triangle], textures: SMOOTH },
];

/** Names of the classes, in the order of their labels. */
export const BUILTIN_CLASSES: readonly string[] = RECIPES.map(({ name }) => name);

/**
 * A built-in image set: ten classes of shapes and textures, 32x32 RGB, under random colour, size, turn, stretch,
 * place, background, clutter, occlusion, blur and noise. Every image depends on (seed, split, index) only, with integer
 * random numbers and exactly rounded arithmetic: the same bytes everywhere, and a smaller `count` is a prefix of
 * a larger one. The sets differ by their camera and their scenes. Labels go round (index mod 10), so that every prefix is balanced.
 */
export function generateBuiltin(options: {
  /** default: what the built-in network was trained on */
  set?: BuiltinSet;
  split: Split;
  count?: number;
  seed?: number;
}): ImagesInMemory {
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

/** Two colours along a gradient, plus smooth noise from a 5x5 lattice and sometimes faint stripes. */
function paintBackground(canvas: Float64Array, random: Random): Colour {
  const [from, to] = [randomColour(random), randomColour(random)];
  const blend = random.uniform(0, 0.5);
  const [dx, dy] = random.direction();
  const lattice = Array.from({ length: 36 }, () => random.uniform(-1, 1));
  const roughness = random.uniform(0, 0.15);
  const stripes = random.chance(0.3) ? random.uniform(0.03, 0.1) : 0;
  const [sx, sy] = random.direction();
  const period = random.uniform(3, 9);
  for (let y = 0; y < BUILTIN_SIZE; y++) {
    for (let x = 0; x < BUILTIN_SIZE; x++) {
      const t = blend * (0.5 + ((x - 15.5) * dx + (y - 15.5) * dy) / 44);
      const light =
        roughness * latticeNoise(lattice, x / 7, y / 7) + stripes * wave((x * sx + y * sy) / period);
      const at = (y * BUILTIN_SIZE + x) * 3;
      for (let c = 0; c < 3; c++) canvas[at + c] = from[c] + (to[c] - from[c]) * t + light;
    }
  }
  return [0, 1, 2].map((c) => from[c] + (to[c] - from[c]) * blend * 0.5) as Colour;
}

/** Small bars and small copies of any class's shape: what is large counts. */
function paintClutter(canvas: Float64Array, random: Random): void {
  const isBar = random.chance(0.5);
  const recipe = RECIPES[random.index(RECIPES.length)];
  paintShape(canvas, random, {
    shape: isBar ? bar : recipe.shapes[0],
    texture: 'plain',
    colour: randomColour(random),
    second: [0, 0, 0],
    centre: [random.uniform(0, BUILTIN_SIZE), random.uniform(0, BUILTIN_SIZE)],
    radius: isBar ? random.uniform(3, 8) : random.uniform(2, 3.5),
    opacity: random.uniform(0.5, 1),
    turn: random.direction(),
  });
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

interface PaintedShape {
  shape: Shape;
  texture: Texture;
  colour: Colour;
  /** the other colour of a texture */
  second: Colour;
  /** pixels */
  centre: [number, number];
  /** pixels */
  radius: number;
  opacity: number;
  /** cosine and sine of the angle that the shape is turned by */
  turn: [number, number];
}

/** Draws one shape, stretched at random, with edges antialiased over a pixel. */
function paintShape(canvas: Float64Array, random: Random, painted: PaintedShape): void {
  const { shape, centre, radius, colour, second, opacity } = painted;
  const [cos, sin] = painted.turn;
  const stretch = random.uniform(0.75, 1.33);
  const [rx, ry] = [radius * Math.sqrt(stretch), radius / Math.sqrt(stretch)];
  const mixture = textureOf(painted.texture, radius, random);
  const reach = Math.max(rx, ry) * 1.1 + 1;
  const [left, right] = span(centre[0], reach);
  const [top, bottom] = span(centre[1], reach);
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const u = ((x - centre[0]) * cos + (y - centre[1]) * sin) / rx;
      const v = ((y - centre[1]) * cos - (x - centre[0]) * sin) / ry;
      const coverage = 0.5 - shape(u, v) * Math.min(rx, ry);
      if (coverage <= 0) continue;
      const alpha = opacity * Math.min(coverage, 1);
      const t = mixture(u, v);
      const at = (y * BUILTIN_SIZE + x) * 3;
      for (let c = 0; c < 3; c++) {
        canvas[at + c] += alpha * (colour[c] + (second[c] - colour[c]) * t - canvas[at + c]);
      }
    }
  }
}

/** How much of the second colour lies at a point of the shape's frame. */
function textureOf(texture: Texture, radius: number, random: Random): (u: number, v: number) => number {
  if (texture === 'plain') return () => 0;
  if (texture === 'shaded') {
    const depth = random.uniform(0.2, 0.7);
    return (u, v) => depth * Math.min(Math.max(0.5 + 0.4 * (u + v), 0), 1);
  }
  // bands of 2.5 to 4 pixels: wide enough to survive the blur
  const scale = radius / random.uniform(5, 8);
  const phase = random.uniform();
  if (texture === 'stripes') return (u) => 0.5 + 0.5 * wave(u * scale + phase);
  return (u, v) => 0.5 + 0.5 * wave(u * scale + phase) * wave(v * scale + phase);
}

function randomColour(random: Random): Colour {
  return [random.uniform(), random.uniform(), random.uniform()];
}

/** A colour near the class's tint in four of five images, any in the fifth; nearly always lighter than the ground. */
function objectColour(tint: Colour, ground: Colour, random: Random): Colour {
  const towards = random.chance(0.8) ? random.uniform(0.45, 0.95) : 0;
  const lighter = random.chance(0.95);
  for (let attempt = 0; ; attempt++) {
    const any = contrasting(ground, 0.4, random);
    const colour = any.map((value, c) => value + (tint[c] - value) * towards) as Colour;
    const gain = colour[0] + colour[1] + colour[2] - ground[0] - ground[1] - ground[2];
    if (attempt === 20 || (lighter ? gain > 0.4 : gain < -0.2)) return colour;
  }
}

/** An angle of up to about 24 degrees either way: objects mostly stand upright. */
function tilt(random: Random): [number, number] {
  const slope = random.uniform(-0.45, 0.45);
  const length = Math.sqrt(1 + slope * slope);
  return [1 / length, slope / length];
}

/** A colour at least `distance` away (Euclidean, of the unit cube). */
function contrasting(colour: Colour, distance: number, random: Random): Colour {
  for (;;) {
    const candidate = randomColour(random);
    let square = 0;
    for (let c = 0; c < 3; c++) square += (candidate[c] - colour[c]) ** 2;
    if (square >= distance * distance) return candidate;
  }
}

/** A smooth periodic wave in [-1, 1] of period 1, made of parabolas. */
function wave(t: number): number {
  const phase = 2 * (t - Math.floor(t)) - 1;
  return 4 * phase * (1 - Math.abs(phase));
}

/** Bilinear noise between the 6x6 lattice values; x and y in [0, 5). */
function latticeNoise(lattice: number[], x: number, y: number): number {
  const [ix, iy] = [Math.floor(x), Math.floor(y)];
  const [fx, fy] = [x - ix, y - iy];
  const at = iy * 6 + ix;
  const upper = lattice[at] + (lattice[at + 1] - lattice[at]) * fx;
  const lower = lattice[at + 6] + (lattice[at + 7] - lattice[at + 6]) * fx;
  return upper + (lower - upper) * fy;
}

function span(centre: number, reach: number): [number, number] {
  return [Math.max(0, Math.floor(centre - reach)), Math.min(BUILTIN_SIZE - 1, Math.ceil(centre + reach))];
}
