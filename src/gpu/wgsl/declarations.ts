import { errorAt, type Line } from './lines';

/** The types of constants and sizes. */
export type ScalarType = 'u32' | 'i32' | 'f32' | 'bool';

/** A top-level `const NAME: type = value;`: a dispatch may give its value, and must where `//#required` stands behind it. */
export interface ConstantDeclaration {
  type: ScalarType;
  /** as the WGSL has it */
  value: string;
  required: boolean;
}

/** A binding of group 0. */
export interface BindingDeclaration {
  name: string;
  index: number;
  type: GPUBufferBindingType;
  /** of a storage buffer: the type of an element */
  element?: string;
  /** there only where one of these constants or sizes is true or not zero (`//#if A || B`); absent: always there */
  condition?: readonly string[];
  /** may be stored as f16 (`//#f16`): the shader goes through `load_NAME` or `store_NAME` */
  f16: boolean;
}

/** What a shader declares, its imports included: the one source of truth for layouts and for what a dispatch must give. */
export interface Declarations {
  constants: ReadonlyMap<string, ConstantDeclaration>;
  /**
   * The members of `struct Sizes`, in order: constants that the shader reads from a uniform in the place of its text, so
   * that layers of other sizes share a pipeline.
   */
  sizes: ReadonlyMap<string, ScalarType>;
  bindings: readonly BindingDeclaration[];
}

const CONSTANT = /^const (\w+): (u32|i32|f32|bool) = ([^;]+);/;
const BINDING =
  /^@group\(0\) @binding\((\d+)\) var<(uniform|storage, read|storage, read_write)> (\w+): (?:array<(.+)>|\w+);/;
const DIRECTIVE = /^(import \S+|needs \w+(, \w+)*|unroll|turns|required|f16|if \w+( \|\| \w+)*)$/;

/** Reads the declarations of a shader and its imports. Throws on a directive that is unknown, or whose names are. */
export function declarationsOf(lines: readonly Line[]): Declarations {
  const constants = new Map<string, ConstantDeclaration>();
  const bindings: BindingDeclaration[] = [];
  for (const line of lines) {
    const unknown = directivesOf(line).find((d) => !DIRECTIVE.test(d));
    if (unknown !== undefined) throw errorAt(line, `there is no directive //#${unknown}`);
    const constant = CONSTANT.exec(line.text);
    if (constant) {
      const [, name, type, value] = constant;
      constants.set(name, { type: type as ScalarType, value, required: hasDirective(line, 'required') });
    } else if (line.text.startsWith('@group')) bindings.push(bindingOf(line));
  }
  const declarations = { constants, sizes: sizesOf(lines), bindings };
  checkConditions(lines, declarations);
  checkNeeds(lines, declarations);
  return declarations;
}

function bindingOf(line: Line): BindingDeclaration {
  const match = BINDING.exec(line.text);
  if (!match) throw errorAt(line, 'this is no binding as the other shaders write them');
  const [, index, kind, name, element] = match;
  return {
    name,
    index: Number(index),
    type: kind === 'uniform' ? 'uniform' : kind === 'storage, read' ? 'read-only-storage' : 'storage',
    element,
    condition: conditionOf(line),
    f16: hasDirective(line, 'f16'),
  };
}

/** A line's directives, without `//#`. */
export const directivesOf = ({ text }: Line): string[] =>
  text
    .split('//#')
    .slice(1)
    .map((d) => d.trim());

const hasDirective = (line: Line, directive: string): boolean => directivesOf(line).includes(directive);

/** The names of a line's `//#if A || B`. */
export const conditionOf = (line: Line): string[] | undefined =>
  directivesOf(line)
    .find((d) => d.startsWith('if '))
    ?.slice(3)
    .split(' || ');

function sizesOf(lines: readonly Line[]): Map<string, ScalarType> {
  const sizes = new Map<string, ScalarType>();
  const start = lines.findIndex(({ text }) => text === 'struct Sizes {');
  for (let i = start + 1; start >= 0 && lines[i].text !== '}'; i++) {
    const member = /^\s*(\w+): (u32|i32),$/.exec(lines[i].text);
    if (!member) throw errorAt(lines[i], 'a size must be u32 or i32');
    sizes.set(member[1], member[2] as ScalarType);
  }
  return sizes;
}

function checkConditions(lines: readonly Line[], { constants, sizes }: Declarations): void {
  for (const line of lines)
    for (const name of conditionOf(line) ?? [])
      if (!constants.has(name) && !sizes.has(name))
        throw errorAt(line, `//#if asks for ${name}, which is no constant and no size`);
}

/** Checks that what a file needs of who imports it (`//#needs dy, BACKWARD_COEF`) is declared. */
function checkNeeds(lines: readonly Line[], declarations: Declarations): void {
  const declared = declaredNames(lines, declarations);
  for (const line of lines) {
    const needs = directivesOf(line).flatMap((d) => /^needs (.+)$/.exec(d)?.[1].split(', ') ?? []);
    const missing = needs.filter((name) => !declared.has(name));
    // a shader's own lines stand behind those of its imports
    if (missing.length > 0)
      throw errorAt(line, `${lines[lines.length - 1].file} imports this, but has no ${missing.join(', ')}`);
  }
}

/** All names of a shader's module scope, those of its sizes, and those of the helpers for f16. */
export function declaredNames(lines: readonly Line[], { sizes, bindings }: Declarations): Set<string> {
  const declared = new Set(sizes.keys());
  for (const { text } of lines) {
    const name = /^(?:const|fn|struct|alias|var<workgroup>) (\w+)/.exec(text)?.[1];
    if (name) declared.add(name);
  }
  for (const { name, f16, type } of bindings) {
    declared.add(name);
    if (f16) declared.add(type === 'storage' ? `store_${name}` : `load_${name}`);
  }
  return declared;
}
