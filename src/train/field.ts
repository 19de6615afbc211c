/** What a setting or option is: what it accepts, and how a form, a command line and a message speak of it. */
import * as v from 'valibot';
import { UserError } from '../errors';

/** A value out of few, as a form offers it. */
export interface Choice {
  value: string;
  label: string;
  /** a sentence on what it does */
  help?: string;
}

/** The bounds of a numeric field and what an arrow key changes it by. */
export interface NumberRange {
  step: number;
  min: number;
  max: number;
  /** whether a number is within; a bound itself may be left out */
  holds(value: number): boolean;
  /** whether the word `auto` may stand in the number's place */
  orAuto?: boolean;
}

/** What values a field takes. All of them may be given as text: URLs, forms and command lines have nothing else. */
export interface Accepts<T> {
  schema: v.GenericSchema<unknown, T>;
  /** in words, for the message that refuses a value */
  expects: string;
  /** the place of the value in a help text, for example `N` or `sgd|adamw` */
  placeholder: string;
  /** the values, where there are few */
  choices?: readonly Choice[];
  /** absent where the value is no number */
  range?: NumberRange;
}

export interface Field<T> extends Accepts<T> {
  /** its name in forms and their messages */
  label: string;
  /** one line on what it does; forms show it below, command lines beside */
  help: string;
  /** what a number counts, for example `px` */
  unit?: string;
}

/** Text is accepted wherever a number is. */
const numeric = v.union([v.number(), v.pipe(v.string(), v.trim(), v.nonEmpty(), v.transform(Number))]);

/** The bounds of a number; `above` and `below` leave the bound itself out. */
type Bounds = { min: number; max: number } | { min: number; below: number } | { above: number; max: number };

/** A number within bounds. `step`: what an arrow key changes it by. */
export function real(bounds: Bounds, step: number): Accepts<number> {
  const lower =
    'above' in bounds ? v.gtValue<number, number>(bounds.above) : v.minValue<number, number>(bounds.min);
  const upper =
    'below' in bounds ? v.ltValue<number, number>(bounds.below) : v.maxValue<number, number>(bounds.max);
  const min = 'above' in bounds ? bounds.above : bounds.min;
  const max = 'below' in bounds ? bounds.below : bounds.max;
  return number(v.pipe(numeric, v.number(), lower, upper), {
    expects: `a number ${boundsText(bounds)}`,
    placeholder: 'X',
    range: { step, min, max },
  });
}

function number(
  schema: Accepts<number>['schema'],
  { range, ...words }: Omit<Accepts<number>, 'schema' | 'range'> & { range: Omit<NumberRange, 'holds'> },
): Accepts<number> {
  return { ...words, schema, range: { ...range, holds: (value) => v.is(schema, value) } };
}

function boundsText(bounds: Bounds): string {
  if ('above' in bounds) return `above ${bounds.above} and at most ${bounds.max}`;
  return 'below' in bounds
    ? `from ${bounds.min} to below ${bounds.below}`
    : `from ${bounds.min} to ${bounds.max}`;
}

/** A whole number within bounds. */
export function whole(min: number, max: number): Accepts<number> {
  return number(v.pipe(numeric, v.number(), v.integer(), v.minValue(min), v.maxValue(max)), {
    expects: `a whole number from ${min} to ${max}`,
    placeholder: 'N',
    range: { step: 1, min, max },
  });
}

/** Megabytes, as a number or as a size: `1500`, `1500MB`, `1.5GB`. */
export function megabytes(max: number): Accepts<number> {
  const sized = v.pipe(
    v.string(),
    v.regex(/^\s*\d+(\.\d+)?\s*(MB|GB)\s*$/i),
    v.transform((text) => Number.parseFloat(text) * (/G/i.test(text) ? 1000 : 1)),
  );
  const { schema, ...rest } = real({ min: 0, max }, 100);
  const within = v.pipe(v.union([sized, numeric]), v.number(), v.minValue(0), v.maxValue(max));
  return {
    ...rest,
    schema: within,
    expects: `megabytes from 0 to ${max}, or a size such as 1.5GB`,
    placeholder: 'MB',
  };
}

type ChoiceRow<T> = readonly [value: T, label?: string, help?: string];

const choicesOf = (rows: readonly ChoiceRow<string | number>[]): Choice[] =>
  rows.map(([value, label = String(value), help]) => ({ value: String(value), label, help }));

/** One of a few words, each with its name in forms where that differs, and a sentence where it needs one. */
export function choice<const T extends string>(...rows: ChoiceRow<T>[]): Accepts<T> {
  const values = rows.map(([value]) => value);
  return {
    schema: v.picklist(values),
    expects: `one of ${values.join(', ')}`,
    placeholder: values.join('|'),
    choices: choicesOf(rows),
  };
}

/** One of a few numbers. */
export function numberChoice<const T extends number>(...rows: ChoiceRow<T>[]): Accepts<T> {
  const values = rows.map(([value]) => value);
  return {
    schema: v.pipe(numeric, v.picklist(values)),
    expects: `one of ${values.join(', ')}`,
    placeholder: values.join('|'),
    choices: choicesOf(rows),
  };
}

/** On or off. */
export const flag: Accepts<boolean> = {
  schema: v.union([
    v.boolean(),
    v.pipe(
      v.picklist(['true', 'false']),
      v.transform((text) => text === 'true'),
    ),
  ]),
  expects: 'true or false',
  placeholder: 'true|false',
  choices: choicesOf([
    ['true', 'on'],
    ['false', 'off'],
  ]),
};

/** An array, or its items as text with commas between them. */
const list = v.union([
  v.array(v.unknown()),
  v.pipe(
    v.string(),
    v.transform((text) => text.split(',').map((part) => part.trim())),
  ),
]);

/** A number for each colour channel. */
export const channels = (each: Accepts<number>): Accepts<[number, number, number]> =>
  numbers(['red', 'green', 'blue'], each);

/** A number for each name, with commas between them. */
export function numbers<const N extends readonly string[]>(
  names: N,
  each: Accepts<number>,
): Accepts<{ -readonly [K in keyof N]: number }> {
  const entries = names.map(() => each.schema);
  return {
    schema: v.pipe(list, v.strictTuple(entries as never)) as never,
    expects: `${names.length === 3 ? 'three' : 'four'} numbers (${names.join(',')}), each ${each.expects}`,
    placeholder: names.map((name) => name[0].toUpperCase()).join(','),
  };
}

/** One of a few words, or names with commas between them. `what`: what they name. */
export function wordOrNames<const T extends string>(words: T[], what: string): Accepts<T | string[]> {
  return {
    schema: v.union([
      v.picklist(words),
      v.pipe(list, v.array(v.pipe(v.string(), v.nonEmpty())), v.nonEmpty()),
    ]),
    expects: `${words.join(', ')} or ${what} separated by commas`,
    placeholder: `${words.join('|')}|NAMES`,
  };
}

/** What a field accepts, or the word `auto` for what is decided later. */
export function orAuto<T>({ schema, expects, placeholder, choices, range }: Accepts<T>): Accepts<T | 'auto'> {
  return {
    schema: v.union([v.literal('auto'), schema]),
    expects: `${expects}, or auto`,
    placeholder: `${placeholder}|auto`,
    ...(range && { range: { ...range, orAuto: true } }),
    ...(choices && { choices: [...choicesOf([['auto']]), ...choices] }),
  };
}

/** Any text but the empty one. */
export function text(expects: string, placeholder: string): Accepts<string> {
  return { schema: v.pipe(v.string(), v.nonEmpty()), expects, placeholder };
}

/** `old=new` for each name, with commas between them, as an object. */
function pairsOf(text: string): unknown {
  if (text.trim() === '') return {};
  const pairs = text.split(',').map((pair) => pair.split('=').map((name) => name.trim()));
  const isClear = new Set(pairs.map(([old]) => old)).size === pairs.length;
  return isClear && pairs.every(({ length }) => length === 2) ? Object.fromEntries(pairs) : text;
}

/** What a list with a name a line could not hold. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
const isName = (name: unknown) => typeof name === 'string' && !/[\u0000-\u001f\u007f]/.test(name);

/** New names by old ones: an object, its JSON, or `old=new` for each with commas between them. */
export const newNames: Accepts<Record<string, string>> = {
  schema: v.pipe(
    v.union([
      v.pipe(v.string(), v.regex(/^\s*\{/), v.parseJson()),
      v.pipe(v.string(), v.transform(pairsOf)),
      v.unknown(),
    ]),
    v.custom<Record<string, string>>(
      (value) =>
        typeof value === 'object' &&
        value !== null &&
        !Array.isArray(value) &&
        Object.entries(value).every(([old, name]) => old !== '' && isName(name)),
    ),
  ),
  expects: 'old=new for each class, separated by commas, or a JSON object of old and new names',
  placeholder: 'OLD=NEW,...',
};

/** An object, or its JSON. */
export const jsonObject: Accepts<Record<string, unknown>> = {
  schema: v.pipe(
    v.union([v.pipe(v.string(), v.parseJson()), v.unknown()]),
    v.custom<Record<string, unknown>>(
      (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    ),
  ),
  expects: 'a JSON object',
  placeholder: 'JSON',
};

/**
 * The value of a field, from text or from what JSON holds.
 * @param label how the message calls the field
 * @throws UserError that names the field, what it expects and what it got
 */
export function parseField<T>({ schema, expects }: Accepts<T>, value: unknown, label: string): T {
  const result = v.safeParse(schema, value);
  if (!result.success) throw new UserError(`${label} must be ${expects}, not ${show(value)}.`);
  return result.output;
}

/** A value as forms, URLs and command lines write it. */
export function fieldText(value: unknown): string {
  if (Array.isArray(value)) return value.join(',');
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.keys(value).length === 0 ? '' : JSON.stringify(value);
}

/** A value in a message: short, and never more than the eye takes in. */
export function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'number') return String(value);
  const written = JSON.stringify(value) ?? String(value);
  return written.length > 60 ? `${written.slice(0, 57)}...` : written;
}
