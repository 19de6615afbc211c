import type { Cell } from '../../experiment/cells';
import { significant } from '../format';

/** What of an experiment is trained, as its table calls it. */
export function cellText({ kind, arm, seed, lr }: Cell, label: (arm: string) => string): string {
  if (kind === 'base') return 'the base';
  const name = label(arm!);
  return kind === 'search' ? `${name}, rate ${significant(lr!)} tried` : `${name}, seed ${seed}`;
}
