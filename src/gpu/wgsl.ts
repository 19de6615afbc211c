import type { Constants } from '../graph/ir';
import { storeHalves } from './halves';

const files = import.meta.glob<string>('../../shaders/**/*.wgsl', {
  query: '?raw',
  import: 'default',
  eager: true,
});
const sources = new Map(
  Object.entries(files).map(([path, text]) => [path.replace(/^.*\/shaders\/|\.wgsl$/g, ''), text]),
);

/** Every entry-point shader's id (common/ holds what they import). */
export const shaderIds = (): string[] => [...sources.keys()].filter((id) => !id.startsWith('common/')).sort();

/** A declared binding, read from the WGSL: the one source of truth for bind group layouts. */
export interface Binding {
  name: string;
  index: number;
  type: GPUBufferBindingType;
}

/**
 * A shader's text with its imports (`//#import common/rng`) and with `constants` in place of its top-level
 * `const NAME: type = value;`, but for its sizes. With the constant SUBGROUPS, an import that has a variant for subgroups
 * (`common/weights.subgroups`) is that. Bindings in `halves` hold f16 numbers, which the shader sees as f32. Throws on a
 * shader, a constant or a binding that does not exist.
 */
export function composeShader(
  id: string,
  { SUBGROUPS, ...constants }: Constants = {},
  halves: readonly string[] = [],
): string {
  let text = hoistDirectives(withImports(id, SUBGROUPS === true));
  for (const [name, value] of Object.entries(compiledConstants(id, constants))) {
    const declaration = new RegExp(`^const ${name}\\s*:\\s*(\\w+)\\s*=[^;]*;`, 'm');
    if (!declaration.test(text)) throw new Error(`shader ${id} has no constant ${name}`);
    text = text.replace(
      declaration,
      (_, type) => `const ${name}: ${type} = ${literal(type, value, `${id}: ${name}`)};`,
    );
  }
  return unroll(storeHalves(text, halves));
}

function withImports(id: string, subgroups = false): string {
  let text = source(id);
  for (;;) {
    const match = /^\/\/#import (\S+)$/m.exec(text);
    if (!match) return text;
    const variant = `${match[1]}.subgroups`;
    const imported = source(subgroups && sources.has(variant) ? variant : match[1]);
    // a second import of the same file leaves nothing
    text = text.replace(match[0], () => imported).replaceAll(match[0], '');
  }
}

/** WGSL wants its directives before all else. */
function hoistDirectives(text: string): string {
  const directive = /^(enable|diagnostic)\b.*;\n/gm;
  return (text.match(directive) ?? []).join('') + text.replace(directive, '');
}

const sizesOfShaders = new Map<string, string[]>();

/**
 * The members, all u32, of a shader's `struct Sizes`: constants that it reads from a uniform in the place of its text, so
 * that layers of other sizes share a pipeline.
 */
export function sizeNames(id: string): readonly string[] {
  let names = sizesOfShaders.get(id);
  if (!names) {
    const members = /^struct Sizes \{([^}]*)\}/m.exec(withImports(id))?.[1] ?? '';
    names = [...members.matchAll(/^\s*(\w+): u32,/gm)].map(([, name]) => name);
    sizesOfShaders.set(id, names);
  }
  return names;
}

/** The contents of a shader's uniform `sizes`. Throws where one has no value. */
export function packSizes(id: string, constants: Constants): Uint32Array<ArrayBuffer> {
  const missing = sizeNames(id).filter((name) => !Number.isInteger(Number(constants[name])));
  if (missing.length > 0) throw new Error(`shader ${id} needs the sizes ${missing.join(', ')}`);
  return Uint32Array.from(sizeNames(id), (name) => Number(constants[name]));
}

/** The constants that are compiled into a pipeline. */
export function compiledConstants(id: string, constants: Constants): Constants {
  const sizes = new Set(sizeNames(id));
  return Object.fromEntries(Object.entries(constants).filter(([name]) => !sizes.has(name)));
}

/**
 * Repeats the body of each loop that stands under `//#unroll`, its variable a constant in each copy. Such a loop reads
 * `for (var i = 0u; i < BOUND; i++) {` with a literal or a constant of a literal value as its bound. Register arrays
 * are registers only where their indices are constants, and not every WebGPU implementation unrolls by itself.
 */
export function unroll(text: string): string {
  const bounds = new Map<string, number>();
  for (const [, name, value] of text.matchAll(/^const (\w+)\s*:\s*[ui]32\s*=\s*(\d+)[ui]?;/gm))
    bounds.set(name, Number(value));
  return unrollWith(bounds, text);
}

function unrollWith(bounds: Map<string, number>, text: string): string {
  const head = /\/\/#unroll\s+for \(var (\w+) = 0(u?); \1 < (\w+); \1\+\+\) \{/.exec(text);
  if (!head) {
    if (text.includes('//#unroll')) throw new Error('//#unroll stands before no loop that it knows');
    return text;
  }
  const [whole, name, unsigned, bound] = head;
  const start = head.index + whole.length;
  const end = closingBrace(text, start);
  const count = bounds.get(bound) ?? Number.parseInt(bound, 10);
  if (Number.isNaN(count)) throw new Error(`the bound ${bound} of an unrolled loop is no literal`);
  const body = unrollWith(bounds, text.slice(start, end));
  const copies = Array.from(
    { length: count },
    (_, i) => `{ const ${name}: ${unsigned ? 'u32' : 'i32'} = ${i}; ${body} }`,
  );
  return text.slice(0, head.index) + copies.join('\n') + unrollWith(bounds, text.slice(end + 1));
}

/** The index of the brace that closes the one before `from`. */
function closingBrace(text: string, from: number): number {
  let depth = 1;
  for (let i = from; i < text.length; i++) {
    if (text[i] === '{') depth++;
    else if (text[i] === '}' && --depth === 0) return i;
  }
  throw new Error('an unrolled loop has no closing brace');
}

function source(id: string): string {
  const text = sources.get(id);
  if (text === undefined) throw new Error(`no shader ${id}`);
  return text;
}

function literal(type: string, value: number | boolean, what: string): string {
  if (type === 'bool') return value ? 'true' : 'false';
  if (typeof value === 'boolean' || !Number.isFinite(value))
    throw new Error(`${what} is no ${type}: ${value}`);
  if (type === 'u32') return `${value >>> 0}u`;
  if (type === 'i32') return `${value | 0}i`;
  // WGSL rejects what rounds to a subnormal or does not round at all; f32 prints exactly
  return `f32(${Math.fround(value)})`;
}

/** The bindings of group 0 that a composed shader declares. */
export function declaredBindings(text: string): Binding[] {
  const out: Binding[] = [];
  const pattern =
    /@group\(0\)\s*@binding\((\d+)\)\s*var<(uniform|storage(?:,\s*(read_write|read))?)>\s*(\w+)/g;
  for (const [, index, kind, access, name] of text.matchAll(pattern)) {
    const type = kind === 'uniform' ? 'uniform' : access === 'read_write' ? 'storage' : 'read-only-storage';
    out.push({ name, index: Number(index), type });
  }
  return out;
}

/** Threads of a workgroup, for checks against the device's limits. */
export function workgroupSize(text: string): number {
  const match = /@workgroup_size\(([^)]*)\)/.exec(text);
  const value = (s: string): number => {
    const named = new RegExp(`^const ${s.trim()}\\s*:\\s*u32\\s*=\\s*(\\d+)`, 'm').exec(text);
    return Number(named ? named[1] : s.replace('u', ''));
  };
  return match
    ? match[1]
        .split(',')
        .map(value)
        .reduce((a, b) => a * b, 1)
    : 1;
}
