/**
 * An experiment as data: a base, images, arms over seeds, and the settings that all arms share. Equal by construction: an arm cannot
 * change what makes arms comparable (images, their order and augmentation, epochs, batch, schedule).
 */
import * as v from 'valibot';
import { EXAMPLE_SET } from '../data/builtin/builtin';
import { UserError } from '../errors';
import { type NetworkOptions, parseNetworkOptions } from '../run/network-options';
import { show } from '../train/field';
import {
  parseSettings,
  type SettingField,
  type SettingGroup,
  type SettingName,
  settingFields,
  type TrainSettings,
} from '../train/settings';
import { type Arm, arms as armTable } from './arms';

/** The network that all arms start from. */
export interface Base {
  network?: NetworkOptions;
  /** absent: the built-in network, or with `train` one from random numbers */
  weights?: string;
  labels?: string;
  /** the base itself is trained first, from random numbers, once for all arms and seeds; these settings on top of the shared ones */
  train?: Partial<TrainSettings>;
}

/** How each arm's learning rate is found: every rate of a grid trains on some training images and is tested on the others. */
export interface RateSearchPlan {
  rates: number[];
  /** of each of these runs */
  epochs: number;
  /** of the training images of each class, the share that tests */
  heldOut: number;
}

/** An arm of an experiment. */
export interface NamedArm extends Arm {
  /** its folders are called so */
  name: string;
}

/** An experiment, complete and checked. Paths as the user wrote them. */
export interface Experiment {
  name: string;
  /** what it asks, a sentence */
  question?: string;
  base: Base;
  /** as `--data` and `--test` name them */
  data: string[];
  test?: string[];
  arms: NamedArm[];
  /** the arm that the others are compared with */
  reference: string;
  seeds: number[];
  /** absent: every arm has the rate that the settings name */
  lrSearch?: RateSearchPlan;
  /** what all arms share, without seed and method */
  settings: TrainSettings;
}

const text = v.pipe(v.string(), v.trim(), v.nonEmpty(), v.maxLength(2000));
const armName = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9][a-z0-9.-]{0,39}$/, 'a name of small letters, digits, dots and dashes, at most 40'),
);
const paths = v.pipe(v.array(text), v.minLength(1));
const settings = v.record(v.string(), v.unknown());
const factor = v.pipe(v.number(), v.gtValue(0), v.maxValue(1000));
const rate = v.pipe(v.number(), v.gtValue(0), v.maxValue(100));

const armSchema = v.strictObject({
  name: armName,
  /** the entry of the table that it changes */
  arm: v.optional(text),
  label: v.optional(text),
  about: v.optional(text),
  settings: v.optional(settings),
  from: v.optional(armName),
  rate: v.optional(v.strictObject({ of: armName, times: v.optional(factor, 1) })),
});

/** Unlike a union it says what is wrong within an arm. */
const armOrName: v.GenericSchema<
  string | v.InferInput<typeof armSchema>,
  string | v.InferOutput<typeof armSchema>
> = v.lazy((input) => (typeof input === 'object' ? armSchema : armName));

const schema = v.strictObject({
  name: armName,
  question: v.optional(text),
  base: v.optional(
    v.strictObject({
      network: v.optional(v.record(v.string(), v.unknown())),
      weights: v.optional(text),
      labels: v.optional(text),
      train: v.optional(settings),
    }),
    {},
  ),
  data: v.optional(paths, [EXAMPLE_SET]),
  test: v.optional(paths),
  arms: v.pipe(v.array(armOrName), v.minLength(1), v.maxLength(64)),
  reference: v.optional(armName),
  seeds: v.pipe(
    v.array(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 32 - 1))),
    v.minLength(1),
    v.maxLength(100),
  ),
  lrSearch: v.optional(
    v.strictObject({
      rates: v.pipe(v.array(rate), v.minLength(1), v.maxLength(32)),
      epochs: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100_000))),
      heldOut: v.optional(v.pipe(v.number(), v.minValue(0.01), v.maxValue(0.9)), 0.2),
    }),
  ),
  settings: v.optional(settings, {}),
});

/** An experiment as its file has it. */
export type ExperimentFile = v.InferInput<typeof schema>;

/** Settings of these groups say what makes arms comparable. */
const SHARED_GROUPS: ReadonlySet<SettingGroup> = new Set([
  'main',
  'schedule',
  'images',
  'augmentation',
  'device',
  'results',
]);

/** What an experiment decides itself. */
const OWN: readonly SettingName[] = [
  'seed',
  'method',
  'validate',
  'validationShare',
  'imageSeed',
  'patience',
];

/**
 * Checks an experiment and completes it. What it returns, written as JSON and parsed again, is the same.
 * @param file what messages call it
 * @param overrides settings on top of those that the file has for all arms
 * @throws UserError that names what is wrong
 */
export function parseExperiment(
  value: unknown,
  file: string,
  overrides: Record<string, unknown> = {},
): Experiment {
  const parsed = v.safeParse(schema, Array.isArray(value) ? null : value);
  if (!parsed.success) throw notOne(parsed.issues, file);
  const given = parsed.output;
  const shared = sharedSettings({ ...given.settings, ...overrides }, given.seeds[0], file);
  const all = given.arms.map((arm) => armOf(arm, file));
  const { lrSearch, base } = given;
  const experiment: Experiment = {
    name: given.name,
    ...(given.question && { question: given.question }),
    base: {
      ...base,
      ...(base.network && { network: parseNetworkOptions(base.network) }),
      ...(base.train && { train: checkedSettings(base.train, shared, `${file}, base.train`) }),
    } as Base,
    data: given.data,
    ...(given.test && { test: given.test }),
    arms: all,
    reference: given.reference ?? (all.find(({ name }) => name === 'finetune') ?? all[0]).name,
    seeds: given.seeds,
    // a rate that is given is that of all arms
    ...(lrSearch &&
      overrides.lr === undefined && {
        lrSearch: {
          ...lrSearch,
          epochs: Math.min(lrSearch.epochs ?? shared.epochs, shared.epochs),
        },
      }),
    settings: shared,
  };
  checkArms(experiment, file);
  return experiment;
}

function notOne(issues: readonly v.BaseIssue<unknown>[], file: string): UserError {
  const [issue] = issues;
  const path = v.getDotPath(issue as v.BaseIssue<unknown> & { path: [v.IssuePathItem] }) ?? '';
  const isUnknown = issue.type === 'strict_object' && issue.expected === 'never';
  const isMissing = issue.input === undefined && path !== '';
  const what = isUnknown
    ? `${path} means nothing here`
    : isMissing
      ? `${path} is missing`
      : path === ''
        ? 'it must be an object with name, arms and seeds'
        : `${path} must be ${expectedOf(issue)}, not ${show(issue.input)}`;
  return new UserError(`${file} is no experiment: ${what} (docs/experiments.md).`);
}

const expectedOf = ({ type, message, expected }: v.BaseIssue<unknown>): string =>
  type === 'regex' ? message : (expected ?? 'something else');

/** The settings of all arms. Of what would make them unequal, or what the experiment decides, nothing is taken. */
function sharedSettings(given: Record<string, unknown>, seed: number, file: string): TrainSettings {
  const own = OWN.filter((name) => Object.hasOwn(given, name) && !isOwnValue(name, given[name], seed));
  if (own.length > 0)
    throw new UserError(
      `${file}: ${own.join(', ')} cannot be a setting of all arms: an experiment decides it itself (arms and seeds say what differs).`,
    );
  const asked = { headEpochs: 0, ...given, method: 'finetune', patience: 0, imageSeed: seed };
  return { ...labelled(file, () => parseSettings(asked)), seed };
}

/** What a complete experiment has there. */
const isOwnValue = (name: SettingName, value: unknown, seed: number): boolean =>
  value ===
  { seed, method: 'finetune', validate: false, validationShare: 'auto', imageSeed: seed, patience: 0 }[
    name as string
  ];

/** An arm's settings beside those that all share: checked together, and none that must be equal. */
function checkedSettings(
  given: Record<string, unknown>,
  shared: TrainSettings,
  what: string,
): Partial<TrainSettings> {
  const all = labelled(what, () => parseSettings({ ...shared, ...given }));
  return Object.fromEntries(
    Object.keys(given).map((name) => [name, all[name as SettingName]]),
  ) as Partial<TrainSettings>;
}

function labelled<T>(what: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof UserError) throw new UserError(`${what}: ${error.message}`);
    throw error;
  }
}

function armOf(given: v.InferOutput<typeof schema>['arms'][number], file: string): NamedArm {
  const name = typeof given === 'string' ? given : given.name;
  const own: Partial<v.InferOutput<typeof armSchema>> = typeof given === 'string' ? {} : given;
  const entry = typeof given === 'string' ? given : given.arm;
  if (entry !== undefined && !Object.hasOwn(armTable, entry))
    throw new UserError(
      `${file}: there is no arm ${show(entry)}; there are ${Object.keys(armTable).join(', ')}.`,
    );
  const known = entry === undefined ? undefined : armTable[entry];
  const merged = own.settings || known?.settings ? { ...known?.settings, ...own.settings } : undefined;
  const from = own.from ?? known?.from;
  const rate = own.rate ?? known?.rate;
  return {
    name,
    label: own.label ?? (known && entry === name ? known.label : name),
    about: own.about ?? known?.about ?? '',
    ...(merged && { settings: merged }),
    ...(from !== undefined && { from }),
    ...(rate && { rate }),
  };
}

/** What only shows with all arms together. */
function checkArms({ arms, reference, settings, seeds, lrSearch }: Experiment, file: string): void {
  const names = arms.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice) throw new UserError(`${file}: two arms are called ${twice}; give one another name.`);
  if (new Set(seeds).size < seeds.length) throw new UserError(`${file}: a seed is there twice.`);
  if (!names.includes(reference))
    throw new UserError(`${file}: the reference ${reference} is no arm of it: ${names.join(', ')}.`);
  if (!arms.some((arm) => arm.settings)) throw new UserError(`${file}: no arm trains anything.`);
  for (const arm of arms) {
    const what = `${file}, arm ${arm.name}`;
    if (arm.settings) arm.settings = armSettings(arm.settings, settings, what);
    const before = arms.filter(({ settings: trains }, i) => trains && i < names.indexOf(arm.name));
    for (const other of [arm.from, arm.rate?.of])
      if (other !== undefined && !before.some(({ name }) => name === other))
        throw new UserError(`${what}: it needs the arm ${other}, which must stand before it.`);
    if (arm.rate && arm.rate.times !== 1 && !lrSearch && settings.lr === 'auto')
      throw new UserError(
        `${what}: a multiple of a rate needs one: name a learning rate for all arms, or search for it (lrSearch).`,
      );
  }
}

function armSettings(
  given: Partial<TrainSettings>,
  shared: TrainSettings,
  what: string,
): Partial<TrainSettings> {
  const unequal = Object.keys(given).filter((name) => {
    const field: SettingField<unknown> | undefined = Object.hasOwn(settingFields, name)
      ? settingFields[name as SettingName]
      : undefined;
    return field && name !== 'lr' && SHARED_GROUPS.has(field.group);
  });
  if (unequal.length > 0)
    throw new UserError(
      `${what}: ${unequal.join(', ')} must be equal in all arms: put it into the settings that all share.`,
    );
  return checkedSettings(given, shared, what);
}
