/** The largest number of an f16. */
const MOST = '65504.0';

/**
 * A shader's text in which the bindings named hold f16 numbers: what it reads of them becomes f32, and what it writes is
 * clamped to what f16 holds and rounded. Sums stay f32. Comments go. Throws on an element updated in place or in part.
 */
export function storeHalves(text: string, names: readonly string[]): string {
  if (names.length === 0) return text;
  const code = text.replace(/\/\/(?!#).*$/gm, '');
  return `enable f16;\n${names.reduce(storeHalf, code)}`;
}

function storeHalf(text: string, name: string): string {
  const declaration = new RegExp(`(var<storage, \\w+> ${name}: array<)(vec4<f32>|f32)>`);
  const type = declaration.exec(text)?.[2];
  if (!type) throw new Error(`the shader has no binding ${name} of f32 numbers`);
  return convertUses(text.replace(declaration, `$1${type.replace('f32', 'f16')}>`), name, type);
}

/** Uses of `name[index]`, of the f32 type that the shader knows. */
function convertUses(text: string, name: string, type: string): string {
  const use = new RegExp(`(?<![\\w.])${name}\\[`, 'g').exec(text);
  if (!use) return text;
  const close = closing(text, use.index + use[0].length);
  const index = convertUses(text.slice(use.index + use[0].length, close), name, type);
  const element = `${name}[${index}]`;
  const before = text.slice(0, use.index);
  const after = text.slice(close + 1);
  if (/^(\.\w+|\[[^\]]*\])*\s*[-+*/%&|^]=|^(\.\w+|\[[^\]]*\])+\s*=[^=]/.test(after))
    throw new Error(`${element} is updated in place or in part, which an f16 binding cannot be`);
  if (!/^\s*=[^=]/.test(after)) return `${before}${type}(${element})${convertUses(after, name, type)}`;
  const end = after.indexOf(';');
  const value = convertUses(after.slice(after.indexOf('=') + 1, end).trim(), name, type);
  const held = `${type.replace('f32', 'f16')}(clamp(${value}, ${type}(-${MOST}), ${type}(${MOST})))`;
  return `${before}${element} = ${held}${convertUses(after.slice(end), name, type)}`;
}

/** The index of the bracket that closes the one before `from`. */
function closing(text: string, from: number): number {
  let depth = 1;
  for (let i = from; i < text.length; i++) {
    if (text[i] === '[') depth++;
    else if (text[i] === ']' && --depth === 0) return i;
  }
  throw new Error('a bracket of an f16 binding is never closed');
}
