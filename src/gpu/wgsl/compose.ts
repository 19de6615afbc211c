import type { Constants } from '../../graph/ir';
import { withoutDeadCode } from './branches';
import { holds, literal } from './constants';
import type { BindingDeclaration, Declarations } from './declarations';
import type { Line } from './lines';
import { withStorage } from './storage';
import { unroll } from './unroll';

/** A shader's text for WebGPU. */
export interface ComposedShader {
  code: string;
  /** the bindings that it has, those left out that nothing uses */
  bindings: BindingDeclaration[];
  /** of each line of the code, the line on disk that it comes from */
  origins: Pick<Line, 'file' | 'number'>[];
}

/**
 * Makes one text of a shader's lines, its imports among them: `constants` in the place of the values of its top-level
 * constants, what they switch off left out, bindings in `halves` stored as f16, and loops unrolled.
 */
export function compose(
  lines: readonly Line[],
  declarations: Declarations,
  constants: Constants,
  halves: readonly string[],
): ComposedShader {
  const isThere = (condition: readonly string[]) => holds(condition, declarations, constants);
  const { bindings: all } = declarations;
  const bindings = all.filter(({ condition }) => !condition || isThere(condition));
  const gone = all.filter((b) => !bindings.includes(b));
  // what imports and needs ask for has been done
  const code = lines.filter((line) => !/^\/\/#(import|needs)\b/.test(line.text));
  const alive = withoutDeadCode(withConstants(code, declarations, constants), isThere, gone);
  const whole = directivesFirst(unroll(withStorage(alive, bindings, halves)));
  const text = whole
    .map((line) => ({ ...line, text: line.text.replace(/\/\/#.*$/, '').trim() }))
    .filter((line) => line.text !== '');
  return {
    code: text.map((line) => line.text).join('\n'),
    bindings,
    origins: text.map(({ file, number }) => ({ file, number })),
  };
}

function withConstants(lines: readonly Line[], { constants }: Declarations, given: Constants): Line[] {
  return lines.map((line) => {
    const name = /^const (\w+): /.exec(line.text)?.[1];
    const declaration = name === undefined ? undefined : constants.get(name);
    if (!declaration || given[name!] === undefined) return line;
    const { type } = declaration;
    return { ...line, text: `const ${name}: ${type} = ${literal(type, given[name!])};` };
  });
}

/** WGSL wants its own directives before all else. */
function directivesFirst(lines: readonly Line[]): Line[] {
  const isDirective = ({ text }: Line) => /^(enable|diagnostic)\b/.test(text);
  return [...lines.filter(isDirective), ...lines.filter((line) => !isDirective(line))];
}
