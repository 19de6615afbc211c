import { UserError } from '../../errors';
import { byCodePoint } from '../files/tree';
import type { LoadOptions } from '../types';

/** By name, as torchvision's ImageFolder; natural, with 2 before 10, as timm; or the classes in their order. */
export type ClassOrder = NonNullable<LoadOptions['classOrder']>;

/** The classes in order. A list may name classes that have no image here. Throws a UserError where it lacks one. */
export function orderClasses(names: Iterable<string>, order: ClassOrder, source: string): string[] {
  const found = [...new Set(names)];
  if (order === 'name') return found.sort(byCodePoint);
  if (order === 'natural') return found.sort(naturally);
  const listed = new Set(order);
  if (listed.size < order.length) {
    const twice = order.find((name, i) => order.indexOf(name) !== i);
    throw new UserError(`The class order names '${twice}' twice; name each class once.`);
  }
  const missing = found.filter((name) => !listed.has(name)).sort(byCodePoint);
  if (missing.length > 0) {
    throw new UserError(
      `The class order lacks ${quoted(missing)} of ${source}; name all classes, in the network's order.`,
    );
  }
  return [...order];
}

/** How messages call an order. */
export function orderName(order: ClassOrder): string {
  if (order === 'name') return "by name, as torchvision's ImageFolder";
  return order === 'natural' ? 'natural, as timm' : 'as listed';
}

/** Digits compare as numbers, letters without case; what is equal by that, by code point. */
function naturally(a: string, b: string): number {
  const [left, right] = [a, b].map((name) => name.toLowerCase().split(/(\d+)/));
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    // text and digits alternate
    const order = i % 2 === 0 ? byCodePoint(left[i], right[i]) : byValue(left[i], right[i]);
    if (order !== 0) return order;
  }
  return left.length - right.length || byCodePoint(a, b);
}

/** Digits of any length. */
function byValue(a: string, b: string): number {
  const [x, y] = [a, b].map((digits) => digits.replace(/^0+/, ''));
  return x.length - y.length || byCodePoint(x, y);
}

/**
 * The classes in natural order, where their names are numbers and the order by name is another one: networks are often
 * trained with classes in the order of the numbers.
 */
export function naturalOrder(classes: string[], order: ClassOrder): string[] | undefined {
  if (order !== 'name' || !classes.every((name) => /^\d+$/.test(name))) return undefined;
  const natural = [...classes].sort(naturally);
  return natural.every((name, i) => name === classes[i]) ? undefined : natural;
}

/** What to say of such names. */
export function numericHint(classes: string[], natural: string[]): string {
  const some = (names: string[]) => names.slice(0, 4).join(', ');
  return `Class names are numbers in order of their text (${some(classes)}, ...); where the network counts ${some(natural)}, ..., set the class order to natural (--class-order natural).`;
}

/** Names in a message: five at most. */
export function quoted(names: string[]): string {
  const shown = names.slice(0, 5).map((name) => `'${name}'`);
  return shown.join(', ') + (names.length > 5 ? ` and ${names.length - 5} more` : '');
}
