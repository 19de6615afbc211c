import type { Constants } from '../../graph/ir';
import type { Declarations, ScalarType } from './declarations';

type Value = number | boolean;

/** What a value of a type must be, and whether one is. */
const TYPES: Record<ScalarType, { noun: string; holds: (v: Value) => boolean }> = {
  bool: { noun: 'true or false', holds: (v) => typeof v === 'boolean' },
  u32: {
    noun: 'an integer from 0 to 4294967295',
    holds: (v) => Number.isInteger(v) && Number(v) >= 0 && Number(v) < 2 ** 32,
  },
  i32: {
    noun: 'an integer from -2147483648 to 2147483647',
    holds: (v) => Number.isInteger(v) && Math.abs(Number(v) + 0.5) < 2 ** 31,
  },
  f32: {
    noun: 'a number that f32 holds',
    holds: (v) => typeof v === 'number' && Number.isFinite(Math.fround(v)),
  },
};

/**
 * What is wrong with a dispatch's constants, nothing or a sentence each: one that the shader does not know, one that is not of
 * its type, one that must be given and is not. Sizes must all be given.
 */
export function constantFaults({ constants, sizes }: Declarations, given: Constants): string[] {
  const faults = Object.entries(given).flatMap(([name, value]) => {
    const type = constants.get(name)?.type ?? sizes.get(name);
    if (!type) return [`there is no constant ${name}`];
    const { noun, holds } = TYPES[type];
    return holds(value) ? [] : [`${name} must be ${noun}, not ${value}`];
  });
  const required = [...constants].filter(([, c]) => c.required).map(([name]) => name);
  const missing = [...required, ...sizes.keys()].filter((name) => given[name] === undefined);
  return missing.length > 0 ? [...faults, `${missing.join(', ')} must be given`] : faults;
}

/** A value that `constantFaults` has nothing against, as WGSL. */
export function literal(type: ScalarType, value: Value): string {
  if (type === 'u32') return `${value}u`;
  if (type === 'i32') return `${value}i`;
  // WGSL rejects what rounds to a subnormal or does not round at all; f32 prints exactly
  if (type === 'f32') return `f32(${Math.fround(Number(value))})`;
  return `${value}`;
}

/** Whether one of the constants or sizes is true or not zero, whatever is not given as the WGSL has it. */
export function holds(names: readonly string[], { constants }: Declarations, given: Constants): boolean {
  const value = (name: string): Value => {
    const known = given[name] ?? constants.get(name)?.value;
    return typeof known === 'string' ? known !== 'false' && Number.parseFloat(known) !== 0 : (known ?? 0);
  };
  return names.some((name) => Number(value(name)) !== 0);
}

/** The constants that are compiled into a pipeline, and for each size that decides on a line whether it is zero. */
export function compiledConstants({ sizes, bindings }: Declarations, given: Constants): Constants {
  const deciding = new Set(bindings.flatMap((b) => b.condition ?? []));
  return Object.fromEntries(
    Object.entries(given).flatMap(([name, value]): [string, Value][] => {
      if (!sizes.has(name)) return [[name, value]];
      return deciding.has(name) ? [[name, Number(value) !== 0]] : [];
    }),
  );
}

/** The contents of the uniform `sizes`. */
export const packSizes = ({ sizes }: Declarations, given: Constants): Uint32Array<ArrayBuffer> =>
  // of a negative i32 the array keeps the bits
  Uint32Array.from(sizes.keys(), (name) => Number(given[name]));
