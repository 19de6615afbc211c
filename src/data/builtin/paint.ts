/** How built-in scenes are painted: backgrounds, clutter and shapes on a canvas of RGB about 0 to 1, row by row. */
import type { Random } from '../random';
import { BUILTIN_SIZE } from './cameras';
import { bar, crescent, cross, disc, horseshoe, ring, type Shape, square, star, triangle } from './shapes';

export type Colour = [number, number, number];
type Texture = 'plain' | 'shaded' | 'stripes' | 'checks';

export interface ClassRecipe {
  name: string;
  /** where the object's colours gather, loosely: a cue, as colour is for real objects */
  tint: Colour;
  shapes: Shape[];
  textures: Texture[];
}

const SMOOTH: Texture[] = ['plain', 'shaded'];

/** Eight classes are outlines, two are textures: a striped and a checked patch that may be round or square. */
export const RECIPES: ClassRecipe[] = [
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

/** Two colours along a gradient, plus smooth noise from a 5x5 lattice and sometimes faint stripes. */
export function paintBackground(canvas: Float64Array, random: Random): Colour {
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
export function paintClutter(canvas: Float64Array, random: Random): void {
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

export interface PaintedShape {
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
  /** told of every pixel of which the shape covers more than half */
  inside?(x: number, y: number): void;
}

/** Draws one shape, stretched at random, with edges antialiased over a pixel. */
export function paintShape(canvas: Float64Array, random: Random, painted: PaintedShape): void {
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
      if (coverage > 0.5) painted.inside?.(x, y);
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

export function randomColour(random: Random): Colour {
  return [random.uniform(), random.uniform(), random.uniform()];
}

/** A colour near the class's tint in four of five images, any in the fifth; nearly always lighter than the ground. */
export function objectColour(tint: Colour, ground: Colour, random: Random): Colour {
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
export function tilt(random: Random): [number, number] {
  const slope = random.uniform(-0.45, 0.45);
  const length = Math.sqrt(1 + slope * slope);
  return [1 / length, slope / length];
}

/** A colour at least `distance` away (Euclidean, of the unit cube). */
export function contrasting(colour: Colour, distance: number, random: Random): Colour {
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
