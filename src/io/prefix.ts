/** Prefixes of a state dict's names: what a wrapper of the network, or its place in a larger module, put before them. */

/** What DataParallel, torch.compile, Lightning and training scripts wrap a network in. */
const KNOWN = [
  'module',
  '_orig_mod',
  'model',
  'net',
  'network',
  'backbone',
  'encoder',
  'ema_model',
  'student',
  'teacher',
];
const MAX_DEPTH = 4;
/** A name that nobody knows counts as a wrapper where it stands before this share of all names. */
const SHARE = 1 / 3;

/**
 * The prefixes that may have to be taken off so that names fit a network, '' among them: chains of known ones in any
 * order, and whatever stands before a third of the names. Those that most names have come first.
 */
export function candidatePrefixes(names: Iterable<string>): string[] {
  const counts = new Map<string, number>([['', 0]]);
  let total = 0;
  for (const name of names) {
    total++;
    const parts = name.split('.').slice(0, -1);
    for (let depth = 0; depth <= Math.min(parts.length, MAX_DEPTH); depth++) {
      const prefix = parts
        .slice(0, depth)
        .map((part) => `${part}.`)
        .join('');
      counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
    }
  }
  const isKnown = (prefix: string) =>
    prefix
      .split('.')
      .slice(0, -1)
      .every((part) => KNOWN.includes(part));
  return [...counts]
    .filter(([prefix, count]) => isKnown(prefix) || count >= SHARE * total)
    .sort(([, a], [, b]) => b - a)
    .map(([prefix]) => prefix);
}

/** Whether a part of a checkpoint's names stands for weights that were averaged while others were trained. */
export const isAveraged = (name: string): boolean => /(^|[._])ema([._]|$)|teacher/.test(name);

/** The longest chain of DataParallel's and torch.compile's prefixes that all names have. */
export function commonPrefix(names: Iterable<string>): string {
  const all = [...names];
  let prefix = '';
  for (;;) {
    const next = ['module.', '_orig_mod.'].find((part) =>
      all.every((name) => name.startsWith(prefix + part) && name.length > prefix.length + part.length),
    );
    if (next === undefined || all.length === 0) return prefix;
    prefix += next;
  }
}
