/** The network options that every command and the page share. */
import * as v from 'valibot';
import { UserError } from '../errors';
import { show } from '../train/settings';

export interface NetworkOptions {
  /** an architecture's name, for example `resnet20_cifar` or `mobilenet_v2` */
  arch: string;
  /** width multiplier (MobileNets) */
  width?: number;
  /** stride of the stem; 1 suits images of 32 pixels. Default 2 where the architecture has 2 */
  stemStride?: 1 | 2;
  classes?: number;
  /** the constructor's other arguments, torchvision's names */
  kwargs?: Record<string, unknown>;
}

const numeric = v.union([v.number(), v.pipe(v.string(), v.trim(), v.nonEmpty(), v.transform(Number))]);

/** A kwargs object may come as JSON text. */
const kwargs = v.pipe(
  v.union([v.pipe(v.string(), v.parseJson()), v.looseObject({})]),
  v.custom<Record<string, unknown>>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  ),
);

const fields: Record<keyof NetworkOptions, { schema: v.GenericSchema; expects: string }> = {
  arch: { schema: v.pipe(v.string(), v.nonEmpty()), expects: "an architecture's name" },
  width: {
    schema: v.pipe(numeric, v.number(), v.gtValue(0), v.maxValue(16)),
    expects: 'a number above 0 and at most 16',
  },
  stemStride: { schema: v.pipe(numeric, v.picklist([1, 2])), expects: '1 or 2' },
  classes: {
    schema: v.pipe(numeric, v.number(), v.integer(), v.minValue(1), v.maxValue(100_000)),
    expects: 'a whole number from 1 to 100000',
  },
  kwargs: { schema: kwargs, expects: 'a JSON object' },
};

/**
 * Network options from anything (see `parseSettings`). Whether the architecture exists is the engine's to say.
 * @throws UserError that names the option, what it expects and what it got
 */
export function parseNetworkOptions(
  input: unknown,
  label: (name: string) => string = (name) => name,
): NetworkOptions {
  if (typeof input !== 'object' || input === null) throw new UserError('Network options must be an object.');
  const options: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(input)) {
    if (!Object.hasOwn(fields, name)) throw new UserError(`Unknown network option ${label(name)}.`);
    if (value === undefined) continue;
    const field = fields[name as keyof NetworkOptions];
    const result = v.safeParse(field.schema, value);
    if (!result.success) throw new UserError(`${label(name)} must be ${field.expects}, not ${show(value)}.`);
    options[name] = result.output;
  }
  if (options.arch === undefined)
    throw new UserError(`${label('arch')} is missing: name the network's architecture.`);
  return options as unknown as NetworkOptions;
}
