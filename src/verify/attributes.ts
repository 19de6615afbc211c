import * as v from 'valibot';
import { UserError } from '../errors';

type Schema = v.StrictObjectSchema<v.ObjectEntries, undefined>;

/**
 * The attributes of a golden case. A case says by them what PyTorch computed, so one that is not understood is never
 * passed over: the engine would then agree, or not, with something else.
 * @throws UserError that names the attribute that is unknown, missing or not supported as it is
 */
export function attributesOf<S extends Schema>(what: string, schema: S, attrs: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, attrs);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = v.getDotPath(issue);
  if (!path) throw new UserError(`the attributes of ${what} are no JSON object`);
  if (issue.type === 'strict_object' && issue.expected === 'never')
    throw new UserError(`${what} has no attribute ${path} here (it takes ${namesOf(schema, path)})`);
  if (issue.input === undefined) throw new UserError(`${what} lacks its attribute ${path}`);
  throw new UserError(
    `${what}: the attribute ${path} is ${JSON.stringify(issue.input)}; expected ${issue.expected ?? issue.message}`,
  );
}

/** The names beside the one at that path. */
function namesOf(schema: Schema, path: string): string {
  let { entries } = schema;
  for (const key of path.split('.').slice(0, -1)) entries = (entries[key] as Schema).entries;
  return Object.keys(entries).join(', ') || 'none';
}

const whole = (least: number) => v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(2 ** 20));

export const count = whole(1);
export const fraction = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
export const notNegative = v.pipe(v.number(), v.finite(), v.minValue(0));

/** [height, width] of whole numbers from `least` on; one number stands for both, as in PyTorch. */
export const pair = (least: 0 | 1) =>
  v.pipe(
    v.union([whole(least), v.strictTuple([whole(least), whole(least)])]),
    v.transform((n): [number, number] => (typeof n === 'number' ? [n, n] : n)),
  );

/** The arguments of torch.optim.SGD, as far as the engine has them. */
const sgdAttributes = v.strictObject({
  lr: notNegative,
  momentum: v.optional(fraction, 0),
  weight_decay: v.optional(notNegative, 0),
  nesterov: v.optional(v.boolean(), false),
  dampening: v.optional(v.literal(0), 0),
});

/** What the arguments of torch.optim.SGD come to. */
export function sgdOf(what: string, attrs: unknown) {
  const { lr, momentum, weight_decay, nesterov } = attributesOf(what, sgdAttributes, attrs);
  if (nesterov && momentum === 0)
    throw new UserError(`${what}: nesterov needs a momentum above 0, as PyTorch says`);
  return { lr, momentum, weightDecay: weight_decay, nesterov };
}

/** The arguments of torch.optim.AdamW, as far as the engine has them. */
export const adamwAttributes = v.strictObject({
  lr: notNegative,
  betas: v.optional(v.strictTuple([fraction, fraction]), [0.9, 0.999]),
  eps: v.optional(notNegative, 1e-8),
  weight_decay: v.optional(notNegative, 1e-2),
  amsgrad: v.optional(v.literal(false), false),
});
