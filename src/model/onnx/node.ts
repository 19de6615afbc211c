/** Attributes of a node, and what messages call it. */
import { quote } from '../../io/format-error';
import type { OnnxNode } from '../../io/onnx/graph';

export function numberOf({ attributes }: OnnxNode, name: string, fallback: number): number {
  const value = attributes.get(name);
  return typeof value === 'number' ? value : fallback;
}

export function listOf({ attributes }: OnnxNode, name: string): number[] | undefined {
  const value = attributes.get(name);
  return Array.isArray(value) && value.every((v) => typeof v === 'number') ? (value as number[]) : undefined;
}

export function textOf({ attributes }: OnnxNode, name: string, fallback: string): string {
  const value = attributes.get(name);
  return typeof value === 'string' ? value : fallback;
}

/** `Conv "features.0"`, by its output where it has no name. */
export const called = ({ op, domain, name, outputs }: OnnxNode): string =>
  `${domain ? `${domain}.` : ''}${op} ${quote(name || outputs[0] || '')}`;
