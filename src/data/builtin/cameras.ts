/** The cameras that the built-in scenes are taken with: a scene in, the bytes of an image out. */
import type { Random } from '../random';

/** Side of a built-in image, pixels. */
export const BUILTIN_SIZE = 32;

/** Takes a painted scene (rows of RGB about 0 to 1; it is used up) and writes the image. */
export type Camera = (scene: Float64Array, random: Random, out: Uint8Array) => void;

/** What a cheap camera does: some blur, another light, noise, 8 bits. */
export const ownCamera: Camera = (scene, random, out) => {
  const blur = random.uniform(-0.15, 0.2);
  if (blur > 0) blurAlong(scene, blur);
  const noise = random.chance(0.9) ? random.uniform(0.01, 0.08) : random.uniform(0.08, 0.18);
  const gain = random.uniform(0.7, 1.1);
  const lift = random.uniform(-0.08, 0.12);
  for (let i = 0; i < scene.length; i++) {
    out[i] = toByte(scene[i] * gain + lift + noise * grain(random));
  }
};

/** What each of the false-colour camera's channels takes of red, green and blue. */
const FALSE_COLOURS = [
  [0.2, 0.8, 0],
  [0.2, 0.2, 0.6],
  [0.8, 0.1, 0.1],
];

/** A false-colour camera, as of infrared film: green is seen as red, blue as green, red as blue; its lens is softer too. */
export const falseColourCamera: Camera = (scene, random, out) => {
  blurAlong(scene, random.uniform(0.05, 0.15));
  const noise = random.uniform(0.02, 0.06);
  const gain = random.uniform(0.8, 1);
  const lift = random.uniform(0, 0.1);
  for (let at = 0; at < scene.length; at += 3) {
    const [r, g, b] = [scene[at], scene[at + 1], scene[at + 2]];
    for (let c = 0; c < 3; c++) {
      const [fromRed, fromGreen, fromBlue] = FALSE_COLOURS[c];
      const mixed = fromRed * r + fromGreen * g + fromBlue * b;
      out[at + c] = toByte(mixed * gain + lift + noise * grain(random));
    }
  }
};

/** Two uniform numbers of 16 bits out of one draw; their sum, in (-2, 2), is close enough to a normal one. */
function grain(random: Random): number {
  const bits = random.uint32();
  return ((bits & 0xffff) + (bits >>> 16) - 0xffff) / 0x8000;
}

const toByte = (value: number): number => Math.max(0, Math.min(Math.floor(value * 255 + 0.5), 255));

/** Weights (blur, 1 - 2 blur, blur) along rows, then columns; in place. */
function blurAlong(canvas: Float64Array, blur: number): void {
  const row = BUILTIN_SIZE * 3;
  for (const [step, other] of [
    [3, row],
    [row, 3],
  ]) {
    for (let line = 0; line < BUILTIN_SIZE; line++) {
      for (let c = 0; c < 3; c++) {
        let previous = canvas[line * other + c];
        for (let i = 0; i < BUILTIN_SIZE; i++) {
          const at = line * other + i * step + c;
          const current = canvas[at];
          const next = i + 1 < BUILTIN_SIZE ? canvas[at + step] : current;
          canvas[at] = current + blur * (previous - 2 * current + next);
          previous = current;
        }
      }
    }
  }
}
