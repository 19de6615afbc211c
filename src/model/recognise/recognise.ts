import { isAveraged } from '../../io/prefix';
import { createModel } from '../zoo';
import { candidateArguments, leastKnown } from './arguments';
import { type Dialect, renameModules } from './dialect';
import { DIALECTS } from './dialects';
import { type Match, matchState, moduleOf, modulesOf, type Shape, type Wanted } from './match';

/** A network of the zoo beside a file. */
export interface Candidate {
  arch: string;
  /** torchvision's names; what is not there is the architecture's default */
  args: Record<string, unknown>;
  match: Match;
}

export interface Recognition {
  /** the networks that the file fits, the likeliest first */
  fits: Candidate[];
  /** where none fits: the network that most of the file's tensors are of */
  nearest?: Candidate;
}

export interface RecogniseOptions {
  /** names of the zoo */
  architectures: readonly string[];
  /** arguments that are known, and not to be guessed */
  args?: Record<string, unknown>;
}

/** Prefixes that are tried at most; an odd file has one for every third of its names. */
const MOST_PREFIXES = 12;
/** A network that explains less of a file is not near it. */
const LEAST_EXPLAINED = 0.1;
/** What may be found of a network beside the names that it knows: its classifier's weight and bias. */
const HEAD_TENSORS = 2;

/**
 * Finds the architecture, its arguments, the publisher and the prefix under which the keys of a state dict are those of a
 * network of the zoo: every entry in its shape, the classifier's rows left open. What the network has no use for does not
 * matter.
 * @param prefixes what may stand before the names, '' among them (`candidatePrefixes`)
 */
export function recognise(
  shapes: ReadonlyMap<string, Shape>,
  prefixes: readonly string[],
  { architectures, args = {} }: RecogniseOptions,
): Recognition {
  const tried = prefixes.slice(0, MOST_PREFIXES).flatMap((prefix) => {
    const modules = modulesOf([...shapes.keys()].flatMap((key) => bareName(key, prefix) ?? []));
    const has = (sign: RegExp) => modules.some((module) => sign.test(module));
    const dialects = DIALECTS.filter(({ sign, without }) => has(sign) && !(without && has(without)));
    return dialects.flatMap((dialect) => {
      const renamed = renamer(shapes, prefix, dialect);
      return architectures
        .filter((name) => dialect.architectures.test(name))
        .flatMap((arch) => bestArguments(arch, args, shapes, prefix, dialect, renamed(arch)) ?? []);
    });
  });
  const fits = tried.filter(isFit).sort((a, b) => rank(a) - rank(b));
  if (fits.length > 0) return { fits: withoutDoubles(fits) };
  const [nearest] = tried.sort((a, b) => score(b) - score(a));
  return { fits, nearest: nearest && score(nearest) >= LEAST_EXPLAINED * shapes.size ? nearest : undefined };
}

const bareName = (key: string, prefix: string): string | undefined =>
  key.startsWith(prefix) && key.length > prefix.length ? key.slice(prefix.length) : undefined;

const isFit = ({ match }: Candidate): boolean => match.missing.length + match.mismatched.length === 0;

/** Networks that use more of the file come first, then those that need fewer arguments, weights that were trained before their average. */
const rank = ({ args, match }: Candidate): number =>
  (isAveraged(match.prefix) ? 1e9 : 0) + match.unused.length + Object.keys(args).length / 100;

/** How much of the file a network explains: tensors of its shapes, and half as much those of its names alone. */
const score = ({ match }: Candidate): number => match.names.size + match.mismatched.length / 2;

/** One network under several names (`densenet` with DenseNet-121's blocks) counts once. */
function withoutDoubles(fits: Candidate[]): Candidate[] {
  const seen = new Set<string>();
  return fits.filter(({ match }) => {
    const key = JSON.stringify([match.prefix, match.dialect.publisher, [...match.names]]);
    return seen.size !== seen.add(key).size;
  });
}

/** The architecture with the first arguments that fit, else with those under which most of the file fits. */
function bestArguments(
  arch: string,
  given: Record<string, unknown>,
  shapes: ReadonlyMap<string, Shape>,
  prefix: string,
  dialect: Dialect,
  renamed: ReadonlyMap<string, Shape>,
): Candidate | undefined {
  const published = defaultOf(arch);
  // a network of quite other names is worth no more than a look at its default
  const known = published.entries.filter(({ name }) => renamed.has(name)).length;
  const least = leastKnown(arch, renamed.size, published.entries.length);
  if (known <= Math.min(least, LEAST_EXPLAINED * shapes.size - HEAD_TENSORS)) return undefined;
  const guesses = known > least ? candidateArguments(arch, renamed) : [{}];
  let best: Candidate | undefined;
  const channels = channelsOf(renamed, published.entries);
  for (const told of guesses) {
    const args = { ...told, ...channels, ...given };
    const wanted = Object.keys(args).length > 0 ? wantedOf(arch, args) : published;
    if (!wanted) continue;
    const candidate = { arch, args, match: matchState(shapes, prefix, dialect, wanted) };
    if (isFit(candidate)) return candidate;
    if (!best || candidate.match.names.size > best.match.names.size) best = candidate;
  }
  return best;
}

/**
 * The channels of a file's images, gray or RGB, where they are other than the network's: the first convolution tells them. Of any
 * others it is left as a difference to be told.
 */
function channelsOf(
  shapes: ReadonlyMap<string, Shape>,
  entries: readonly { name: string; shape: Shape }[],
): Record<string, unknown> {
  const stem = entries.find(({ name }) => shapes.has(name));
  const found = stem && shapes.get(stem.name)!;
  if (!stem || !found || found.length !== 4 || stem !== entries[0]) return {};
  return found[1] === stem.shape[1] || ![1, 3].includes(found[1]) ? {} : { in_chans: found[1] };
}

const defaults = new Map<string, Wanted>();

/** The state dict of an architecture with its default arguments. */
function defaultOf(arch: string): Wanted {
  const known = defaults.get(arch) ?? wantedOf(arch, {})!;
  defaults.set(arch, known);
  return known;
}

/** The state dict of a network; undefined where the architecture does not take the arguments. */
function wantedOf(arch: string, kwargs: Record<string, unknown>): Wanted | undefined {
  try {
    const { state, head } = createModel(arch, { kwargs });
    return { entries: state, head: head.name };
  } catch {
    return undefined;
  }
}

/** A file's shapes under the zoo's names, as far as the default network of an architecture tells them. */
function renamer(
  shapes: ReadonlyMap<string, Shape>,
  prefix: string,
  dialect: Dialect,
): (arch: string) => ReadonlyMap<string, Shape> {
  const bare = [...shapes].flatMap(([key, shape]) => {
    const name = bareName(key, prefix);
    return name === undefined ? [] : [{ name, module: moduleOf(name), shape }];
  });
  const modules = [...new Set(bare.map(({ module }) => module))];
  const under = (zoo: readonly string[]) => {
    const names = renameModules(dialect, modules, zoo);
    return new Map(
      bare.map(({ name, module, shape }) => [
        (names.get(module) ?? module) + name.slice(module.length),
        shape,
      ]),
    );
  };
  // only places in an order depend on the network
  if (dialect.place) return (arch) => under(modulesOf(defaultOf(arch).entries.map(({ name }) => name)));
  const renamed = under([]);
  return () => renamed;
}
