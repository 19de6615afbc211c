import * as v from 'valibot';

/** The key of safetensors' `__metadata__` under which files that this library writes say what they are. */
export const METADATA_KEY = 'refocus';

const triple = v.pipe(v.array(v.number()), v.length(3));

/** What a file of weights says of its network, so that nothing has to be named again. */
const schema = v.object({
  /** of this description */
  version: v.literal(1),
  architecture: v.string(),
  /** of the architecture, torchvision's names */
  args: v.record(v.string(), v.unknown()),
  /** names in the order of the classifier's rows */
  classes: v.optional(v.array(v.string())),
  /** an image's shorter side is scaled to `size` / `cropPct` (1), the middle square cut out, then (x / 255 - mean) / std */
  preprocessing: v.optional(
    v.object({
      size: v.pipe(v.number(), v.integer(), v.minValue(1)),
      interpolation: v.optional(v.picklist(['bilinear', 'bicubic'])),
      cropPct: v.optional(v.pipe(v.number(), v.minValue(0.1), v.maxValue(1))),
      cropMode: v.optional(v.picklist(['center', 'squash', 'border'])),
      mean: triple,
      std: triple,
    }),
  ),
  /** how it was trained last */
  method: v.optional(v.string()),
  seed: v.optional(v.number()),
});

export type NetworkMetadata = v.InferOutput<typeof schema>;

/** The description in a file's metadata; undefined where there is none, or none that can be read. */
export function readMetadata(metadata: ReadonlyMap<string, string>): NetworkMetadata | undefined {
  const text = metadata.get(METADATA_KEY);
  if (text === undefined) return undefined;
  try {
    const result = v.safeParse(schema, JSON.parse(text));
    return result.success ? result.output : undefined;
  } catch {
    return undefined;
  }
}

/** A file's metadata with the description in it. */
export const withMetadata = (
  metadata: ReadonlyMap<string, string>,
  description: NetworkMetadata,
): Map<string, string> => new Map([...metadata, [METADATA_KEY, JSON.stringify(description)]]);
