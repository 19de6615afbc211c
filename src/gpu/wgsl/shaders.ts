import type { Constants, PlannedDispatch } from '../../graph/ir';
import { type ComposedShader, compose } from './compose';
import { compiledConstants, constantFaults, holds, packSizes } from './constants';
import { type Declarations, declarationsOf } from './declarations';
import { hasVariant, importOf, type Sources, withImports } from './imports';
import { pathOf } from './lines';
import { firstTexts, moreTexts } from './texts';

/** What decides whether a dispatch gives a shader all that it wants, and nothing else. */
export type CheckedDispatch = Pick<PlannedDispatch, 'shader' | 'constants' | 'bindings' | 'halves'>;

/** A set of WGSL files: reads what they declare, checks dispatches against it, and composes texts for WebGPU. */
export class Shaders {
  private readonly known = new Map<string, Declarations>();

  /** @param more gives the files that are not among the sources yet: what needs them asks `load` first */
  constructor(
    private given: Sources,
    private readonly more: () => Promise<Sources> = async () => new Map(),
  ) {}

  /** The texts that are there, by id. */
  get sources(): Sources {
    return this.given;
  }

  /** Has the texts of these entry points there, for all that is asked of them; default: of all. */
  async load(ids?: Iterable<string>): Promise<void> {
    if (ids && [...ids].every((id) => this.given.has(id))) return;
    this.given = new Map([...this.given, ...(await this.more())]);
  }

  /** The id of every entry-point shader that is there (common/ holds what they import). */
  ids(): string[] {
    return [...this.sources.keys()].filter((id) => !id.startsWith('common/')).sort();
  }

  /** What a shader and its imports declare. SUBGROUPS counts as a constant where an import has a variant for them. */
  declarations(id: string): Declarations {
    let known = this.known.get(id);
    if (!known) {
      known = this.read(id);
      this.known.set(id, known);
    }
    return known;
  }

  private read(id: string): Declarations {
    const lines = withImports(this.sources, id, false);
    const declarations = declarationsOf(lines);
    const imports = lines.map(importOf).filter((name) => name !== undefined);
    if (!imports.some((name) => hasVariant(this.sources, name))) return declarations;
    const constants = new Map(declarations.constants);
    constants.set('SUBGROUPS', { type: 'bool', value: 'false', required: false });
    return { ...declarations, constants };
  }

  /** A shader's text for WebGPU. Throws on constants that are not what the shader declares, and on a binding that cannot be f16. */
  compose(id: string, constants: Constants = {}, halves: readonly string[] = []): ComposedShader {
    const declarations = this.declarations(id);
    throwFaults(id, [...constantFaults(declarations, constants), ...halfFaults(declarations, halves)]);
    const lines = withImports(this.sources, id, constants.SUBGROUPS === true);
    return compose(lines, declarations, constants, halves);
  }

  /** Throws where a dispatch's constants are not what its shader declares, or its bindings are too few or too many. */
  check({ shader, constants, bindings, halves }: CheckedDispatch): void {
    const declarations = this.declarations(shader);
    throwFaults(shader, [
      ...constantFaults(declarations, constants),
      ...bindingFaults(declarations, constants, bindings),
      ...halfFaults(declarations, halves),
    ]);
  }

  /** The constants that decide on a shader's text: those of equal ones share a pipeline. */
  compiledConstants(id: string, constants: Constants): Constants {
    return compiledConstants(this.declarations(id), constants);
  }

  /** The contents of a shader's uniform `sizes`. Throws where a size is missing, or no integer of its type. */
  packSizes(id: string, constants: Constants): Uint32Array<ArrayBuffer> {
    const declarations = this.declarations(id);
    throwFaults(id, constantFaults(declarations, constants));
    return packSizes(declarations, constants);
  }

  /** Where a line of a composed text stands on disk (`shaders/dense/forward.wgsl:42`), and the lines around it. */
  locate({ origins }: ComposedShader, line: number): { place: string; excerpt: string } {
    const { file, number } = origins[Math.min(Math.max(line, 1), origins.length) - 1];
    const id = [...this.sources.keys()].find((id) => pathOf(id) === file)!;
    const text = this.sources.get(id)!.split('\n');
    const shown = [number - 1, number, number + 1].filter((n) => n >= 1 && n <= text.length);
    const excerpt = shown.map((n) => `${n === number ? '>' : ' '} ${n} | ${text[n - 1]}`).join('\n');
    return { place: `${file}:${number}`, excerpt };
  }
}

function bindingFaults(
  declarations: Declarations,
  constants: Constants,
  given: CheckedDispatch['bindings'],
): string[] {
  const storage = declarations.bindings.filter(({ type }) => type !== 'uniform');
  const unknown = Object.keys(given).filter((name) => !storage.some((b) => b.name === name));
  return [
    ...unknown.map((name) => `there is no binding ${name}`),
    ...storage.flatMap(({ name, condition }) => {
      const isGiven = given[name] !== undefined;
      const isWanted = !condition || holds(condition, declarations, constants);
      if (isGiven === isWanted) return [];
      if (!condition) return [`the binding ${name} is not given`];
      const flags = condition.join(' or ');
      return isGiven
        ? [`the binding ${name} is given, but not ${flags}, which it belongs to`]
        : [`the binding ${name} is not given, but ${flags} is`];
    }),
  ];
}

const halfFaults = ({ bindings }: Declarations, halves: readonly string[]): string[] =>
  halves
    .filter((name) => !bindings.some((b) => b.name === name && b.f16))
    .map((name) => `there is no binding ${name} that may be stored as f16`);

function throwFaults(id: string, faults: string[]): void {
  if (faults.length > 0) throw new Error(`${pathOf(id)}: ${faults.join('; ')}`);
}

const byId = (files: Record<string, string>): Map<string, string> =>
  new Map(Object.entries(files).map(([path, text]) => [path.replace(/^.*\/shaders\/|\.wgsl$/g, ''), text]));

/** The project's shaders. */
export const shaders = new Shaders(byId(firstTexts), async () => byId(await moreTexts()));
