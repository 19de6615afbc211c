/** What colours are told apart by, in both themes and by colour-blind eyes. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { around0, colourOf, upTo } from '../../../src/page/redundancy/colours';

type Colour = readonly [number, number, number];

/** Machado, Oliveira and Fernandes 2009, severity 1: of linear RGB. */
const eyes: Record<string, number[][]> = {
  trichromat: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanope: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranope: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanope: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

const linear = (byte: number): number =>
  byte / 255 <= 0.04045 ? byte / 255 / 12.92 : ((byte / 255 + 0.055) / 1.055) ** 2.4;

/** Linear RGB as those eyes have it. */
const seen = (colour: Colour, eye: string): number[] => {
  const rgb = colour.map(linear);
  return eyes[eye].map((row) =>
    Math.max(
      0,
      Math.min(
        1,
        row.reduce((sum, v, i) => sum + v * rgb[i], 0),
      ),
    ),
  );
};

/** CIELAB of linear sRGB, D65. */
function labOf([r, g, b]: number[]): number[] {
  const f = (t: number) => (t > (6 / 29) ** 3 ? Math.cbrt(t) : (t * (29 / 6) ** 2) / 3 + 4 / 29);
  const x = f((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047);
  const y = f(0.2126729 * r + 0.7151522 * g + 0.072175 * b);
  const z = f((0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/** Delta E of 1976; 2.3 is just noticed. */
function distance(a: Colour, b: Colour, eye: string): number {
  const [p, q] = [labOf(seen(a, eye)), labOf(seen(b, eye))];
  return Math.hypot(...p.map((v, i) => v - q[i]));
}

const css = readFileSync('src/page/style/base.css', 'utf8');

/** A colour of the page; `theme` 0 is light, 1 is dark. */
function ofPage(name: string, theme: number): Colour {
  const [, light, dark] = css.match(new RegExp(`--${name}: light-dark\\(#(\\w{6}), #(\\w{6})\\)`))!;
  const value = Number.parseInt([light, dark][theme], 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

const rgbOf = (fill: string) => fill.match(/\d+/g)!.map(Number) as unknown as Colour;

test.each(Object.keys(eyes))(
  'a %s sees larger numbers lighter, and what is below 0 from what is above',
  (eye) => {
    const scale = upTo(1);
    const lightness = Array.from(
      { length: 17 },
      (_, i) => labOf(seen(rgbOf(colourOf(i / 16, scale).fill), eye))[0],
    );
    for (let i = 1; i < lightness.length; i++)
      expect(lightness[i] - lightness[i - 1], `${i}`).toBeGreaterThan(1.5);
    const both = around0(1);
    for (const size of [0.25, 0.5, 0.75, 1]) {
      const [below, above] = [-size, size].map((value) => rgbOf(colourOf(value, both).fill));
      expect(distance(below, above, eye), `${size}`).toBeGreaterThan(15);
    }
  },
);

test.each(Object.keys(eyes))('a %s tells the lines of a chart apart', (eye) => {
  for (const theme of [0, 1])
    for (const [a, b] of [
      ['train', 'test'],
      ['train', 'base'],
      ['test', 'base'],
    ])
      expect(distance(ofPage(a, theme), ofPage(b, theme), eye), `${a}, ${b}, ${theme}`).toBeGreaterThan(15);
});

/** WCAG's contrast of two colours, from 1 to 21. */
function contrast(a: Colour, b: Colour): number {
  const luminance = (colour: Colour) => {
    const [r, g, b] = colour.map(linear);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [high, low] = [luminance(a), luminance(b)].sort((p, q) => q - p);
  return (high + 0.05) / (low + 0.05);
}

test.each([0, 1])(
  'text has a contrast of 4.5 on every ground, edges and lines one of 3 (theme %i)',
  (theme) => {
    const at = (text: string, ground: string) => contrast(ofPage(text, theme), ofPage(ground, theme));
    for (const ground of ['ground', 'panel', 'well', 'wash'])
      for (const text of ['ink', 'soft'])
        expect(at(text, ground), `${text} on ${ground}`).toBeGreaterThan(4.5);
    expect(at('bad', 'bad-wash')).toBeGreaterThan(4.5);
    expect(at('on-accent', 'accent')).toBeGreaterThan(4.5);
    expect(at('accent', 'panel')).toBeGreaterThan(4.5);
    for (const line of ['train', 'test', 'base', 'edge']) expect(at(line, 'panel'), line).toBeGreaterThan(3);
  },
);
