/** What operators have in common. */
import type { Held, Importer, Shown } from '../importer';
import type { Step } from '../patterns';
import { type Axis, shapeOf, type View } from '../view';

export type Operator = (net: Importer, step: Step, inputs: (Held | undefined)[]) => Held | Held[];

export const output = (held: Shown, d: number): number => shapeOf(held.view)[d];

export type Pads = [top: number, left: number, bottom: number, right: number];

export const channelsOf = (c: number) => (c === 1 ? [] : [{ axis: 'c' as const, size: c, stride: 1 }]);

export const isWholeAmong = (factors: View[number], axis: Axis, size: number): boolean =>
  factors.some((f) => f.axis === axis && f.size === size && f.stride === 1);

/** The short decimal that a number of single precision was written as. */
export const rounded = (x: number): number => Number(x.toPrecision(6));
