import { UserError } from '../errors';
import { product } from '../graph/tensor';
import { candidatePrefixes } from '../io/prefix';
import type { OpenedWeights, StateCopy } from '../io/state-copy';
import { withHead } from '../model/heads';
import { headChannels, type Model } from '../model/model';
import { withNorms } from '../model/norms';
import type { Shape } from '../model/recognise/match';
import { type Candidate, type Recognition, recognise } from '../model/recognise/recognise';
import { describeCandidate, describeDifferences, titleOf } from '../model/recognise/words';
import { architectureNames, createModel, isArchitecture } from '../model/zoo';
import type { NetworkMetadata } from './metadata';
import type { NetworkOptions } from './network-options';

/** What a file of weights is. */
export interface RecognisedWeights {
  model: Model;
  copy: StateCopy;
  /** the model's name of each tensor of the copy that the model has */
  names: ReadonlyMap<string, string>;
  /** whose names they are, and what stands before all of them */
  publisher: string;
  prefix: string;
  /** the publisher's name of the classifier, without the prefix */
  head: string;
  /** the names of tensors that say what images are normalised by, where there are such */
  normalisation?: Normalisation;
  /** tensors that the file keeps: those that the model has, the counters of its batch norms, and `normalisation` */
  kept: ReadonlySet<string>;
  /** a sentence each: what was recognised, which copy was taken, what was left out */
  notes: string[];
}

/**
 * Finds out which network a file's weights are of, and which of its state dicts is meant.
 * @param options what the user said: an architecture and arguments, or a part of them
 * @param description what the file says of itself; what the user said counts more
 * @throws UserError where no network fits, with the one that is nearest and where it differs
 */
export function recogniseWeights(
  opened: OpenedWeights,
  options: NetworkOptions,
  description?: Pick<NetworkMetadata, 'architecture' | 'args'>,
): RecognisedWeights {
  const { copies, within } = chooseCopies(opened, options.state);
  const known = knownArguments(options);
  const most = Math.max(...copies.map(({ entries }) => entries.size));
  if (most > MOST_TENSORS)
    throw new UserError(
      `${opened.file} has ${most.toLocaleString('en')} tensors, more than any network that is known here: choose the weights of one network.`,
    );
  let failure: { recognition: Recognition; copy: StateCopy } | undefined;
  for (const copy of copies) {
    const described = description && recogniseDescribed(copy, description, options);
    const recognition = described ?? recogniseCopy(copy, options.arch, known, within);
    const [taken] = recognition.fits;
    if (taken)
      return recognised(opened, copy, recognition.fits, { ...options, told: described !== undefined });
    failure ??= { recognition, copy };
  }
  throw refusal(opened.file, { ...failure!, options, description });
}

/** The network that the file says it is, if it is that. */
function recogniseDescribed(
  copy: StateCopy,
  { architecture, args }: Pick<NetworkMetadata, 'architecture' | 'args'>,
  options: NetworkOptions,
): Recognition | undefined {
  const { arch = architecture } = options;
  if (arch !== architecture || !isArchitecture(architecture)) return undefined;
  const recognition = recogniseCopy(copy, architecture, { ...args, ...knownArguments(options) });
  return recognition.fits.length > 0 ? recognition : undefined;
}

/** Of an untrusted file: every name is compared with those of many networks. */
const MOST_TENSORS = 20_000;
const LONGEST_NAME = 400;

/** Shapes by name, of names that could be a network's. */
const shapesOf = (copy: StateCopy): Map<string, Shape> =>
  new Map(
    [...copy.entries]
      .filter(([name]) => name.length <= LONGEST_NAME)
      .map(([name, { shape }]) => [name, shape]),
  );

function recogniseCopy(
  copy: StateCopy,
  arch: string | undefined,
  args: Record<string, unknown>,
  within?: string,
): Recognition {
  const shapes = shapesOf(copy);
  const architectures = arch === undefined ? architectureNames() : [arch];
  const prefixes = candidatePrefixes(shapes.keys());
  const wanted = within === undefined ? prefixes : prefixes.filter((prefix) => isWithin(prefix, within));
  return recognise(shapes, wanted, { architectures, args });
}

const isWithin = (name: string, wrapper: string): boolean => `.${name}`.includes(`.${wrapper}.`);

/** The arguments that the user gave, under the constructor's names. */
function knownArguments({ arch, width, stemStride, kwargs }: NetworkOptions): Record<string, unknown> {
  const args: Record<string, unknown> = { ...kwargs };
  if (width !== undefined) args.width_mult = width;
  if (stemStride !== undefined) args.stem_stride = stemStride;
  // says what is wrong with them where an architecture does not take them
  if (arch !== undefined) createModel(arch, { width, stemStride, kwargs });
  return args;
}

/** State dicts of that name, or those that have a network within a wrapper of that name. */
function chooseCopies(
  { file, copies }: OpenedWeights,
  wanted: string | undefined,
): { copies: readonly StateCopy[]; within?: string } {
  if (wanted === undefined) return { copies };
  const chosen = copies.filter(({ name }) => name === wanted || name.endsWith(`.${wanted}`));
  if (chosen.length > 0) return { copies: chosen };
  const wrapping = copies.filter(({ entries }) => [...entries.keys()].some((key) => isWithin(key, wanted)));
  if (wrapping.length > 0) return { copies: wrapping, within: wanted };
  throw new UserError(`${file} has no state dict "${wanted}": it has ${copies.map(copyName).join(', ')}.`);
}

const copyName = ({ name }: StateCopy): string => (name === '' ? 'one at its top' : name);

function recognised(
  opened: OpenedWeights,
  copy: StateCopy,
  [taken, ...others]: Candidate[],
  options: NetworkOptions & Told,
): RecognisedWeights {
  const { arch, args, match } = taken;
  const published = createModel(arch, { kwargs: args });
  const told = match.classes === undefined ? undefined : match.classes - headChannels(published.task, 0);
  const classes = options.classes ?? told ?? published.head.classes;
  const { norms, normalisation: usual, refusal } = match.dialect;
  if (refusal) throw new UserError(`${opened.file}: ${refusal}.`);
  const foreign =
    options.arch === undefined
      ? [...layersWithinBlocks(taken, shapesOf(copy)), ...biasesOfLayers(taken)]
      : [];
  if (foreign.length > 0)
    throw new UserError(
      `${opened.file} is not quite ${describeCandidate(taken)}: it also has ${foreign[0]}${foreign.length > 1 ? ` and ${foreign.length - 1} more` : ''}, without which its answers would be others. Export it as an ONNX file, or name the architecture (--arch ${arch}) to take it without them.`,
    );
  const fitted = classes === published.head.classes ? published : withHead(published, classes);
  const normed = norms ? withNorms(fitted, norms) : fitted;
  const model = { ...normed, input: { ...normed.input, ...usual } };
  const normalisation = normalisationIn(copy);
  const kept = new Set(
    [...copy.entries.keys()].filter(
      (key) =>
        match.names.has(key) ||
        isCounter(key, match.names) ||
        key === normalisation?.mean ||
        key === normalisation?.std,
    ),
  );
  const { names, prefix, dialect } = match;
  const { publisher } = dialect;
  return {
    model,
    copy,
    names,
    publisher,
    prefix,
    head: dialect.head ?? model.head.name,
    kept,
    normalisation,
    notes: notesOn(opened, copy, taken, others, { ...options, kept }),
  };
}

/** Names of a mean and a deviation of three channels each, beside each other: buffers of a module that normalises. */
interface Normalisation {
  mean: string;
  std: string;
}

function normalisationIn({ entries }: StateCopy): Normalisation | undefined {
  for (const [mean, { shape }] of entries) {
    if (!/(^|[._])mean$/.test(mean) || /running_mean$/.test(mean)) continue;
    const std = mean.replace(/mean$/, 'std');
    if ([shape, entries.get(std)?.shape].every((s) => s && product(s) === 3)) return { mean, std };
  }
  return undefined;
}

/** Whether a key is the weight of a layer: of a norm too, RepVGG's branch of one alone, say. */
const isLayer = (key: string, shapes: ReadonlyMap<string, Shape>): boolean =>
  key.endsWith('.weight') &&
  (shapes.get(key)!.length > 1 || shapes.has(key.replace(/weight$/, 'running_mean')));

const USED =
  ' If what it answers goes through them, its answers are others here: take an ONNX file of it then.';

/**
 * Layers of a file that its network has no use for, within the numbered blocks of that network (of squeeze-and-excitation in a
 * ResNet, say), or convolutions of further blocks and stages. Another network's then, unlike a loss or a second head beside the blocks.
 */
function layersWithinBlocks({ match }: Candidate, shapes: ReadonlyMap<string, Shape>): string[] {
  const modulesOf = (key: string) => key.slice(match.prefix.length).split('.').slice(0, -2);
  const blocksOf = (key: string) => {
    const modules = modulesOf(key);
    return modules.flatMap((part, i) => (/^\d+$/.test(part) ? [modules.slice(0, i + 1).join('.')] : []));
  };
  // what blocks and stages are numbered behind: `layer2.` and `layer` of `layer2.0`
  const listsOf = (key: string) => {
    const path = modulesOf(key).join('.');
    return [...path.matchAll(/\d+(?=\.|$)/g)].map(({ index }) => path.slice(0, index));
  };
  const own = [...match.names.keys()].filter((key) => shapes.has(key));
  const blocks = new Set(own.flatMap(blocksOf));
  const lists = new Set(own.flatMap(listsOf));
  const isInside = (key: string) => blocksOf(key).some((block) => blocks.has(block));
  const isFurther = (key: string) =>
    shapes.get(key)!.length === 4 && listsOf(key).some((list) => lists.has(list));
  return match.unused.filter(
    (key) => key.startsWith(match.prefix) && isLayer(key, shapes) && (isInside(key) || isFurther(key)),
  );
}

/** Biases of layers that have none in the network: of a first convolution that somebody put in anew, say. */
function biasesOfLayers({ match }: Candidate): string[] {
  return match.unused.filter(
    (key) => key.endsWith('.bias') && match.names.has(key.replace(/bias$/, 'weight')),
  );
}

/** Whether the file itself says what its network is. */
interface Told {
  told: boolean;
}

/** Whether a key is PyTorch's count of batches of a batch norm that the model has. */
const isCounter = (key: string, names: ReadonlyMap<string, string>): boolean =>
  key.endsWith('num_batches_tracked') && names.has(key.replace(/num_batches_tracked$/, 'running_mean'));

function notesOn(
  { file, copies }: OpenedWeights,
  copy: StateCopy,
  taken: Candidate,
  others: readonly Candidate[],
  options: NetworkOptions & Told & Pick<RecognisedWeights, 'kept'>,
): string[] {
  const notes: string[] = [];
  if (taken.match.dialect.norms && /(^|[^a-z])tf_/.test(file))
    notes.push(
      `${file} may be one of timm's tf_ models: these pad as TensorFlow's "same" and have batch norms of eps 1e-3, which is not supported, so that its accuracy may be lower here.`,
    );
  if (taken.match.dialect.publisher === 'timm' && /miil|ra4_e3600/.test(file))
    notes.push(
      `${file} may be one of timm's models that are normalised otherwise (miil: mean 0, deviation 1; ra4_e3600: mean 0.5, deviation 0.5): mean and std say so.`,
    );
  if (options.arch === undefined) {
    const stem = options.stemStride === undefined && !options.told ? stemNote(taken) : '';
    notes.push(`${file} is ${describeCandidate(taken)}.${stem}`);
    // a shallower network of the same family fits too, and would leave blocks of the file out: it is no rival
    const unlike = others.filter(
      (other) =>
        other.match.names.size >= taken.match.names.size &&
        describeCandidate(other) !== describeCandidate(taken),
    );
    if (unlike.length > 0)
      notes.push(
        `It could also be ${unlike.slice(0, 3).map(describeCandidate).join(', or ')}: name the architecture if it is.`,
      );
  }
  if (copies.length > 1 && options.state === undefined) {
    const rest = copies.filter((other) => other !== copy).map(copyName);
    notes.push(
      `The weights are those of ${copyName(copy)}; the file also has ${rest.join(', ')} (state dict, --state ${rest[0]}).`,
    );
  }
  const twins = others
    .map(({ match }) => match.prefix)
    .filter((prefix) => prefix !== taken.match.prefix && !taken.match.prefix.startsWith(prefix));
  if (twins.length > 0) {
    const [mine, ...rest] = [taken.match.prefix, ...twins].map((prefix) => prefix.slice(0, -1).slice(0, 100));
    notes.push(
      `The weights are those within ${mine || 'no wrapper'}; the file also has ${rest.join(', ')} (state dict, --state ${rest[0]}).`,
    );
  }
  const { layeredHead } = taken.match;
  if (layeredHead !== undefined)
    notes.push(
      `Its classifier has several layers from ${layeredHead.slice(0, 100)} on, which are none of this architecture's: a new one takes their place.`,
    );
  const shapes = shapesOf(copy);
  const unused = taken.match.unused.filter(
    (key) => !options.kept.has(key) && !twins.some((prefix) => key.startsWith(prefix)),
  );
  if (unused.length > 0) {
    const shown = unused.slice(0, 3).map((name) => name.slice(0, 100));
    notes.push(
      `The network has no use for ${shown.join(', ')}${unused.length > 3 ? ` and ${unused.length - 3} more` : ''}: left out.${unused.some((key) => isLayer(key, shapes)) ? USED : ''}`,
    );
  }
  return notes;
}

/** What weights do not tell of a network that may have been made for small images. */
function stemNote({ arch, args, match }: Candidate): string {
  const { stem_stride, stem_kernel, avgpool } = createModel(arch, { kwargs: args }).args;
  const { publisher } = match.dialect;
  if (stem_kernel === 3 && publisher === 'torchvision')
    return ` Its stem of 3 x 3 is taken as networks for images of 32 pixels mostly have it, without stride and pooling; --stem-stride 2 is with both (stem stride).${CIFAR}`;
  if (avgpool === 1) return CIFAR;
  if (stem_stride !== 2) return '';
  const isOfCifar = [10, 100].includes(match.classes ?? 0);
  let others = '.';
  if (isOfCifar && arch === 'mobilenet_v2') others = `${SECOND_STAGE}.${CIFAR}`;
  if (isOfCifar && arch.startsWith('repvgg')) others = FIRST_STAGE;
  return ` The stride of its stem, which weights do not tell, is taken as published, 2; a network made for images of 32 pixels may have 1 (stem stride, --stem-stride 1)${others}`;
}

const SECOND_STAGE = `; chenyaofo's for CIFAR have 1 in the second stage too (--kwargs '{"inverted_residual_setting": [[1,16,1,1],[6,24,2,1],[6,32,3,2],[6,64,4,2],[6,96,3,1],[6,160,3,2],[6,320,1,1]]}')`;
const FIRST_STAGE =
  "; chenyaofo's for CIFAR have 1 in the first stage too, which is not supported: take an ONNX file of these.";
const CIFAR =
  ' Networks for CIFAR mostly take images normalised by 0.4914, 0.4822, 0.4465 and 0.2023, 0.1994, 0.201 (mean and std say so).';

/** What pruning, weight norm, spectral norm and PyTorch's parametrisations keep in the place of a weight. */
const IN_PARTS = /\.(weight_(orig|mask|g|v)|parametrizations\.weight\.\w+)$/;

const AS_ONNX = 'Any convolutional classifier can come as an ONNX file (torch.onnx.export).';

interface Unrecognised {
  copy: StateCopy;
  recognition: Recognition;
  options: NetworkOptions;
  description?: Pick<NetworkMetadata, 'architecture' | 'args'>;
}

/** Why a file fits no network, or not the one that was named, and what would. */
function refusal(file: string, { copy, recognition, options, description }: Unrecognised): UserError {
  const { nearest } = recognition;
  const { arch, width, stemStride, kwargs } = options;
  if (arch !== undefined || width !== undefined || stemStride !== undefined || kwargs !== undefined) {
    const said = description && recogniseDescribed(copy, description, {});
    const { fits } = said ?? recogniseCopy(copy, arch, {});
    const free = fits[0] ?? recogniseCopy(copy, undefined, {}).fits[0];
    if (free) {
      const asked =
        arch === undefined
          ? 'a network with these arguments'
          : `${titleOf(arch)}${width ? ` x${width}` : ''}`;
      return new UserError(
        `${file} is not ${asked} but ${describeCandidate(free)}: leave the architecture and its arguments out, or name these.`,
      );
    }
  }
  if (!nearest) {
    const names = [...copy.entries].slice(0, 4).map(([name]) => name.slice(0, 100));
    return new UserError(
      `${file} is none of the networks that are known here (its tensors: ${names.join(', ')}, ...): they are ${architectureNames().join(', ')}. ${AS_ONNX}`,
    );
  }
  const inParts = nearest.match.unused.find((key) => IN_PARTS.test(key));
  if (inParts !== undefined)
    return new UserError(
      `${file} has weights in parts (${inParts.slice(0, 100)}), of which its network made them as it ran: put them together in PyTorch by torch.nn.utils.prune.remove, remove_weight_norm or parametrize.remove_parametrizations and save it again.`,
    );
  const differences = describeDifferences(nearest, shapesOf(copy));
  const what =
    arch === undefined
      ? `fits no network that is known here; nearest is ${describeCandidate(nearest)}`
      : `is no ${titleOf(arch)}`;
  return new UserError(
    `${file} ${what}: ${differences}. Choose weights of a network that is, or another architecture. ${AS_ONNX}`,
  );
}
