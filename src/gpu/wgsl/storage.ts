import type { BindingDeclaration } from './declarations';
import { errorAt, findMention, type Line } from './lines';

/** The largest number of an f16. */
const MOST = '65504.0';

/**
 * Gives each binding that may be stored as f16 the function through which the shader uses it: `load_x(i)` of one that is
 * read, `store_y(i, value)` of one that is written. The shader sees f32 numbers; those of the bindings in `halves` are f16
 * in memory, clamped to what f16 holds as they are written. Sums stay f32. Throws where the shader goes past the function.
 */
export function withStorage(
  lines: readonly Line[],
  bindings: readonly BindingDeclaration[],
  halves: readonly string[],
): Line[] {
  const storable = bindings.filter(({ f16 }) => f16);
  const use = findMention(
    lines,
    storable.map(({ name }) => name),
    '\\[',
  );
  if (use)
    throw errorAt(use.line, `${use.name} may be stored as f16: use load_${use.name} or store_${use.name}`);
  const half = storable.filter(({ name }) => halves.includes(name));
  const stored = lines.flatMap((line) => {
    const binding = line.text.startsWith('@group') ? storable.find((b) => declares(line, b)) : undefined;
    if (!binding) return [line];
    const isHalf = half.includes(binding);
    const text = isHalf ? line.text.replace('f32', 'f16') : line.text;
    return [
      { ...line, text },
      { ...line, text: helper(binding, isHalf) },
    ];
  });
  return half.length > 0 ? [{ ...lines[0], text: 'enable f16;' }, ...stored] : stored;
}

const declares = ({ text }: Line, { name }: BindingDeclaration): boolean => text.includes(`> ${name}: `);

function helper({ name, type, element = 'f32' }: BindingDeclaration, isHalf: boolean): string {
  if (type === 'storage') {
    const value = isHalf
      ? `${element.replace('f32', 'f16')}(clamp(value, ${element}(-${MOST}), ${element}(${MOST})))`
      : 'value';
    return `fn store_${name}(i: u32, value: ${element}) { ${name}[i] = ${value}; }`;
  }
  const value = isHalf ? `${element}(${name}[i])` : `${name}[i]`;
  return `fn load_${name}(i: u32) -> ${element} { return ${value}; }`;
}
