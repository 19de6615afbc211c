/** The nodes of a graph that no layer here stands for, told all at once. */
import { UserError } from '../../errors';
import type { OnnxNode } from '../../io/onnx/graph';
import { called } from './node';

/** What a message names at most. */
const NAMED = 20;

/** A node that is not read here, whose operator is. */
export class UnreadNode extends UserError {
  /** @param reason what follows the node's name in a sentence, without its full stop */
  constructor(
    file: string,
    readonly node: OnnxNode,
    readonly reason: string,
  ) {
    super(`${file}: ${called(node)} ${reason}.`);
  }
}

/**
 * The refusal of a graph: operators that are unknown, and nodes whose attributes or shapes are, each where it first stands in the
 * file. What reads their outputs could not be looked at.
 */
export function unreadError(
  file: string,
  operators: readonly OnnxNode[],
  nodes: readonly UnreadNode[],
): UserError {
  if (operators.length === 0 && nodes.length === 1) return nodes[0];
  const sentences: string[] = [];
  if (operators.length > 0) {
    const groups = grouped(operators, ({ op, domain }) => `${domain}.${op}`);
    const words = groups.map((group) => `${called(group[0])}${others(group)}`);
    sentences.push(`${file} has operators that no layer here stands for: ${listOf(words)}`);
  }
  if (nodes.length > 0) {
    const groups = grouped(nodes, ({ node, reason }) => `${node.op} ${reason}`);
    const words = groups.map(
      (group) => `${called(group[0].node)}${bracketed(others(group))} ${group[0].reason}`,
    );
    const it = operators.length > 0 ? 'It also has' : `${file} has`;
    sentences.push(`${it} nodes that are not read here: ${listOf(words)}`);
  }
  return new UserError(`${sentences.join('. ')}. docs/onnx.md lists what is read.`);
}

function grouped<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return [...groups.values()];
}

const others = ({ length }: readonly unknown[]): string => (length > 1 ? ` and ${length - 1} more` : '');

const bracketed = (words: string): string => words.replace(/^ (.+)$/, ' ($1)');

const listOf = (words: readonly string[]): string =>
  `${words.slice(0, NAMED).join('; ')}${words.length > NAMED ? '; ...' : ''}`;
