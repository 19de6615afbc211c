/** Small wrong changes of a source text, one at a time, such as a slip of the hand makes. */
import { createHash } from 'node:crypto';
import { parseAst } from 'vite';

/** What an operator is taken for: a bound that is moved by one, or another direction. */
const OPERATORS = {
  '+': '-',
  '-': '+',
  '*': '/',
  '/': '*',
  '%': '*',
  '**': '*',
  '<': ['<=', '>'],
  '<=': ['<', '>='],
  '>': ['>=', '<'],
  '>=': ['>', '<='],
  '===': '!==',
  '!==': '===',
  '<<': '>>',
  '>>': '<<',
  '>>>': '<<',
  '&': '|',
  '|': '&',
  '^': '&',
  '&&': '||',
  '||': '&&',
  '??': '&&',
  '+=': '-=',
  '-=': '+=',
  '*=': '/=',
  '/=': '*=',
  '++': '--',
  '--': '++',
};

/** Methods and functions that are taken for each other. */
const NAMES = {
  min: 'max',
  max: 'min',
  floor: 'ceil',
  ceil: 'floor',
  round: 'floor',
  every: 'some',
  some: 'every',
};

/** Functions to which the order of two arguments is nothing. */
const COMMUTATIVE = new Set(['min', 'max', 'imul', 'hypot']);

/** Methods whose result is like what they are called on: without the call the program still runs. */
const STEPS = new Set(['filter', 'slice', 'subarray', 'sort', 'reverse', 'trim', 'replace', 'replaceAll']);

/**
 * All mutants of a TypeScript source.
 * @returns {{ start: number, end: number, text: string, line: number }[]} replacements of a range by a text
 */
export function mutants(source) {
  const found = [];
  const add = (start, end, text) => found.push({ start, end, text, line: lineOf(source, start) });
  const text = ({ start, end }) => source.slice(start, end);
  /** Replaces what stands between two nodes. */
  const between = (left, right, operator, other) => {
    const at = left.end + source.slice(left.end, right.start).indexOf(operator);
    add(at, at + operator.length, other);
  };
  walk(parseAst(source, { lang: 'ts' }), (node) => {
    switch (node.type) {
      case 'BinaryExpression':
      case 'LogicalExpression':
      case 'AssignmentExpression':
        for (const other of [OPERATORS[node.operator] ?? []].flat())
          between(node.left, node.right, node.operator, other);
        break;
      case 'UpdateExpression': {
        const at = node.prefix ? node.start : node.end - 2;
        add(at, at + 2, OPERATORS[node.operator]);
        break;
      }
      case 'UnaryExpression':
        if (node.operator === '!' || node.operator === '-') add(node.start, node.argument.start, '');
        break;
      case 'Literal':
        // one more of a thousand is seldom another behaviour: a limit is halved
        if (typeof node.value === 'number')
          add(node.start, node.end, `${node.value < 1000 ? node.value + 1 : node.value / 2}`);
        if (typeof node.value === 'bigint') add(node.start, node.end, `${node.value + 1n}n`);
        if (typeof node.value === 'boolean') add(node.start, node.end, `${!node.value}`);
        break;
      case 'IfStatement':
      case 'ConditionalExpression':
        add(node.test.start, node.test.end, `!(${text(node.test)})`);
        if (node.type === 'IfStatement' && !node.alternate) add(node.start, node.end, ';');
        break;
      case 'ExpressionStatement':
        add(node.start, node.end, ';');
        break;
      case 'CallExpression': {
        const [first, second] = node.arguments;
        const { object, property } = node.callee;
        const isSpread = [first, second].some((argument) => argument?.type === 'SpreadElement');
        if (second && !isSpread && !COMMUTATIVE.has(property?.name))
          add(first.start, second.end, `${text(second)}, ${text(first)}`);
        if (object && STEPS.has(property.name)) add(object.end, node.end, '');
        break;
      }
      case 'MemberExpression':
        if (!node.computed && NAMES[node.property.name])
          add(node.property.start, node.property.end, NAMES[node.property.name]);
        break;
    }
  });
  return found;
}

/** Visits the nodes that run: types have no behaviour, imports and messages none that a test should pin. */
function walk(node, visit) {
  if (Array.isArray(node)) for (const part of node) walk(part, visit);
  if (typeof node?.type !== 'string') return;
  const isType = node.type.startsWith('TS') && !('expression' in node);
  if (isType || node.type === 'ImportDeclaration' || isError(node)) return;
  visit(node);
  for (const [key, part] of Object.entries(node))
    if (typeof part === 'object' && part !== null && key !== 'typeAnnotation') walk(part, visit);
}

const isError = ({ type, callee }) => type === 'NewExpression' && /Error$/.test(callee.name ?? '');

const lineOf = (source, offset) => source.slice(0, offset).split('\n').length;

/** The source with the mutant in it. */
export const apply = (source, { start, end, text }) => source.slice(0, start) + text + source.slice(end);

/**
 * Draws mutants out of those of many files, without end but for that of the lines: each line that has any is as likely,
 * and gives one at most.
 * @param {Map<string, string>} sources texts by path
 * @param {(below: number) => number} pick a random whole number from 0 to below that
 */
export function* draw(sources, pick) {
  const lines = [];
  for (const [file, source] of sources) {
    const byLine = new Map();
    for (const mutant of mutants(source))
      byLine.set(mutant.line, [...(byLine.get(mutant.line) ?? []), mutant]);
    for (const all of byLine.values()) lines.push({ file, all });
  }
  while (lines.length > 0) {
    const [{ file, all }] = lines.splice(pick(lines.length), 1);
    yield { file, ...all[pick(all.length)] };
  }
}

/** Random whole numbers below a bound: the same seed gives the same ones. */
export function picker(seed) {
  let drawn = 0;
  return (below) => createHash('sha256').update(`${seed} ${drawn++}`).digest().readUInt32LE() % below;
}
