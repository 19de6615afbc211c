import { errorAt, type Line, linesOf } from './lines';

/** Shaders by id, their path under shaders/ without .wgsl. */
export type Sources = ReadonlyMap<string, string>;

/** Whether an import has a variant for devices with subgroups, `common/weights.subgroups` of `common/weights`. */
export const hasVariant = (sources: Sources, id: string): boolean => sources.has(`${id}.subgroups`);

/** The file that a line imports, if it does. */
export const importOf = ({ text }: Line): string | undefined => /^\/\/#import (\S+)$/.exec(text)?.[1];

/**
 * A shader's lines, and behind each `//#import common/rng` those of that file, the first time. With `subgroups` an import
 * that has a variant for them is that.
 */
export function withImports(sources: Sources, id: string, subgroups: boolean): Line[] {
  const text = sources.get(id);
  if (text === undefined) throw new Error(`there is no shader ${id}`);
  const seen = new Set<string>();
  const expand = (lines: Line[]): Line[] =>
    lines.flatMap((line) => {
      const imported = importOf(line);
      if (imported === undefined || seen.has(imported)) return [line];
      seen.add(imported);
      const from = subgroups && hasVariant(sources, imported) ? `${imported}.subgroups` : imported;
      const importedText = sources.get(from);
      if (importedText === undefined) throw errorAt(line, `there is no shader ${imported} to import`);
      return [line, ...expand(linesOf(from, importedText))];
    });
  return expand(linesOf(id, text));
}
