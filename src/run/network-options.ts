/** The options of a network, each described once: the page's form, its URL and every command read them from here. */
import { UserError } from '../errors';
import { architectureNames } from '../model/zoo';
import {
  type Accepts,
  type Field,
  jsonObject,
  numberChoice,
  parseField,
  real,
  text,
  whole,
} from '../train/field';

/** An option; each may be left out. */
export interface NetworkField<T> extends Field<T> {
  /** what it is where it is left out, in words */
  absent?: string;
}

const option = <T>(accepts: Accepts<T>, rest: Omit<NetworkField<T>, keyof Accepts<T>>): NetworkField<T> => ({
  ...accepts,
  ...rest,
});

const archNames: Accepts<string> = {
  ...text("an architecture's name", 'A'),
  choices: architectureNames().map((value) => ({ value, label: value })),
};

/** Every option, in the order in which help and forms show them. */
export const networkFields = {
  /** for example `resnet20_cifar` or `mobilenet_v2` */
  arch: option(archNames, {
    label: 'Architecture',
    help: "the network's architecture; default: recognised by the names and shapes of its weights",
    absent: 'automatic',
  }),
  width: option(real({ above: 0, max: 16 }, 0.05), {
    label: 'Width factor',
    help: 'width multiplier of MobileNets',
    absent: '1',
  }),
  stemStride: option(numberChoice([1, '1, for images of 32 px'], [2]), {
    label: 'Stem stride',
    help: 'stride of the stem; 1 suits images of 32 pixels',
    absent: 'as published',
  }),
  classes: option(whole(1, 100_000), {
    label: 'Classes',
    help: 'number of classes; weights tell it where they can',
    absent: 'automatic',
  }),
  /** torchvision's names */
  kwargs: option(jsonObject, {
    label: 'Other arguments',
    help: "the constructor's other arguments, torchvision's names",
    absent: 'none',
  }),
  /** for example `state_dict_ema` */
  state: option(text('the name of a state dict', 'NAME'), {
    label: 'State dict',
    help: 'which of several state dicts in the file, for example state_dict_ema',
    absent: 'the first that fits',
  }),
};

export type NetworkOptionName = keyof typeof networkFields;

export const networkOptionNames = Object.keys(networkFields) as NetworkOptionName[];

type Values = {
  [K in NetworkOptionName]: (typeof networkFields)[K] extends NetworkField<infer T> ? T : never;
};

/** An architecture and its options; {@link networkFields} says what each means and takes. */
export type NetworkOptions = Partial<Values>;

/** Options that name an architecture. */
export type NamedNetwork = NetworkOptions & { arch: string };

/**
 * Network options from anything (see `parseSettings`). Whether the architecture exists is the engine's to say.
 * @throws UserError that names the option, what it expects and what it got
 */
export function parseNetworkOptions(
  input: unknown,
  label: (name: string) => string = (name) => name,
): NetworkOptions {
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    throw new UserError('Network options must be an object.');
  const options: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(input)) {
    if (!Object.hasOwn(networkFields, name)) throw new UserError(`Unknown network option ${label(name)}.`);
    if (value === undefined) continue;
    options[name] = parseField<unknown>(networkFields[name as NetworkOptionName], value, label(name));
  }
  return options;
}

/** @throws UserError where the options name no architecture */
export function namedNetwork(
  { arch, ...rest }: NetworkOptions,
  label: (name: string) => string = (name) => name,
): NamedNetwork {
  if (arch !== undefined) return { arch, ...rest };
  throw new UserError(
    `${label('arch')} is missing: name the network's architecture, one of ${architectureNames().join(', ')}.`,
  );
}
