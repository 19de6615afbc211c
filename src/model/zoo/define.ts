import * as v from 'valibot';
import { UserError } from '../../errors';
import { type Builder, buildModel, IMAGENET, type Value } from '../builder';
import type { Model, TaskName } from '../model';

export interface ArchitectureOptions {
  /** default: as many as the images have that the network was made for */
  classes?: number;
  /** width multiplier: the argument `width_mult` */
  width?: number;
  /** stride of the stem: the argument `stem_stride` */
  stemStride?: 1 | 2;
  /** the constructor's other arguments, torchvision's names */
  kwargs?: Record<string, unknown>;
}

/** An argument of an architecture: what it may be, and what it is when not given. */
export interface Argument<T> {
  schema: v.GenericSchema<unknown, T>;
  expects: string;
  fallback: T;
}

/** An architecture under its name. `build` throws a UserError on options that it does not take. */
export interface Definition {
  name: string;
  build(options: ArchitectureOptions): Model;
}

/** timm's name of the channels of the images, which every architecture takes. */
const inChans = (fallback: 1 | 3): Argument<1 | 3> => ({
  schema: v.picklist([1, 3]),
  expects: '3, or 1 for gray images',
  fallback,
});

type Values<A extends Record<string, Argument<unknown>>> = { [K in keyof A]: A[K]['fallback'] };

/** The images that a network was made for: side in pixels, channels, and their classes; normalised as ImageNet's. */
interface DataSet {
  size: number;
  classes: number;
  channels: 1 | 3;
}

const DATA_SETS = {
  imagenet: { size: 224, classes: 1000, channels: 3 },
  cifar: { size: 32, classes: 10, channels: 3 },
} satisfies Record<string, DataSet>;

/**
 * Defines an architecture: its arguments, and how a builder makes its layers of their values.
 * @param madeFor a data set, its figures, or the side of images of ImageNet, in pixels
 */
export function define<A extends Record<string, Argument<unknown>>>(
  name: string,
  args: A,
  architecture: (net: Builder, x: Value, values: Values<A>) => Value,
  madeFor: keyof typeof DATA_SETS | DataSet | number = 'imagenet',
  task: TaskName = 'classification',
): Definition {
  const set = dataSetOf(madeFor);
  const build = (options: ArchitectureOptions): Model => {
    const values = valuesOf(name, { ...args, in_chans: inChans(set.channels) }, options);
    // a stem without stride is for images as small as CIFAR's, and so is a classifier that takes a single pixel
    const { size } = values.stem_stride === 1 || values.avgpool === 1 ? DATA_SETS.cifar : set;
    const { classes = set.classes } = options;
    const input = { ...IMAGENET, size, channels: values.in_chans };
    const about = { name, args: structuredClone(values), classes, input, task };
    return buildModel(about, (net, x) => architecture(net, x, values));
  };
  return { name, build };
}

function dataSetOf(madeFor: keyof typeof DATA_SETS | DataSet | number): DataSet {
  if (typeof madeFor === 'number') return { ...DATA_SETS.imagenet, size: madeFor };
  return typeof madeFor === 'string' ? DATA_SETS[madeFor] : madeFor;
}

function valuesOf<A extends Record<string, Argument<unknown>>>(
  name: string,
  args: A,
  { width, stemStride, kwargs = {} }: ArchitectureOptions,
): Values<A> {
  const given: [string, unknown][] = Object.entries(kwargs);
  if (width !== undefined) given.push(['width_mult', width]);
  if (stemStride !== undefined) given.push(['stem_stride', stemStride]);
  const values: Record<string, unknown> = {};
  for (const [key, { fallback }] of Object.entries(args)) values[key] = fallback;
  const seen = new Set<string>();
  for (const [key, value] of given) {
    if (!Object.hasOwn(args, key)) {
      const known = Object.keys(args).join(', ') || 'none';
      throw new UserError(`${name} has no argument ${key}: remove it (arguments of ${name}: ${known}).`);
    }
    if (seen.has(key)) throw new UserError(`${name}: ${key} is given twice: leave one out.`);
    seen.add(key);
    const result = v.safeParse(args[key].schema, value);
    if (!result.success) throw new UserError(`${name}: ${key} must be ${args[key].expects}.`);
    values[key] = result.output;
  }
  return values as Values<A>;
}

/** A factor on all widths. */
export const widthMultiplier: Argument<number> = {
  schema: v.pipe(v.number(), v.gtValue(0), v.maxValue(16)),
  expects: 'a number above 0 and at most 16',
  fallback: 1,
};

/** The stride of the first convolution: 1 suits images of 32 pixels. */
export const stemStride: Argument<1 | 2> = { schema: v.picklist([1, 2]), expects: '1 or 2', fallback: 2 };

/** A probability of dropping something. */
export const dropRate = (fallback: number): Argument<number> => ({
  schema: v.pipe(v.number(), v.minValue(0), v.ltValue(1)),
  expects: 'a number from 0 to below 1',
  fallback,
});

export const flag = (fallback: boolean): Argument<boolean> => ({
  schema: v.boolean(),
  expects: 'true or false',
  fallback,
});

/** A whole number from 1 to `max`. */
export const count = (max: number) => v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(max));

/** Channels or a factor on them. */
export const channels = (fallback: number): Argument<number> => ({
  schema: count(4096),
  expects: 'a whole number from 1 to 4096',
  fallback,
});

/** Layers of each stage. */
export const stages = (fallback: number[]): Argument<number[]> => ({
  schema: v.pipe(v.array(count(64)), v.minLength(1), v.maxLength(8)),
  expects: 'one to eight whole numbers from 1 to 64',
  fallback,
});

/** Four numbers a stage: counts up to `max`. */
export const fourStages = (fallback: number[], max = 64): Argument<number[]> => ({
  schema: v.pipe(v.array(count(max)), v.length(4)),
  expects: `four whole numbers from 1 to ${max}`,
  fallback,
});

/** Factors on the channels of the four stages. */
export const fourWidths = (fallback: number[]): Argument<number[]> => ({
  schema: v.pipe(v.array(v.pipe(v.number(), v.gtValue(0), v.maxValue(8))), v.length(4)),
  expects: 'four numbers above 0 and at most 8',
  fallback,
});

export const choice = <T extends string>(options: readonly T[], fallback: T): Argument<T> => ({
  schema: v.picklist(options),
  expects: options.map((option) => `"${option}"`).join(' or '),
  fallback,
});

export const positive = (fallback: number): Argument<number> => ({
  schema: v.pipe(v.number(), v.gtValue(0), v.maxValue(100)),
  expects: 'a number above 0 and at most 100',
  fallback,
});
