import { Shaders } from '../../../src/gpu/wgsl/shaders';

/** A library of one shader, `test/one`, and of the files that it imports. */
export const libraryOf = (text: string, common: Record<string, string> = {}): Shaders =>
  new Shaders(new Map(Object.entries({ ...common, 'test/one': text })));

/** White space is of no matter. */
export const squash = (text: string): string => text.replace(/\s+/g, ' ').trim();
