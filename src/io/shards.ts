/** Weights in several files: Hugging Face's shards, with or without their index. */
import { bytesOf, type NamedBlob, nameOf } from './blob';
import { explainAsync, FormatError, quote, Refusal } from './format-error';
import { parseStrictJson, stringMap } from './json';
import { type OpenedWeights, stateCopy } from './state-copy';
import type { TensorInfo } from './tensor';

const SHARD = /^(.*-)(\d{1,6})-of-(\d{1,6})(\.\w+)$/;
/** An index names tensors and files alone. */
const MAX_INDEX = 2 ** 26;

/** The names of all shards that a shard's own name tells of; undefined for a file that is none, or the only one. */
export function siblings({ path }: NamedBlob): string[] | undefined {
  const [, start, number, total, ending] = SHARD.exec(nameOf(path)) ?? [];
  const count = Number(total);
  if (!(count > 1 && Number(number) >= 1 && Number(number) <= count)) return undefined;
  return Array.from(
    { length: count },
    (_, i) => `${start}${`${i + 1}`.padStart(number.length, '0')}-of-${total}${ending}`,
  );
}

/** The file of each tensor, out of an index (`model.safetensors.index.json`). Throws a UserError. */
export function readIndex({ path, blob }: NamedBlob): Promise<Map<string, string>> {
  return explainAsync(`${path} is no index of shards`, 'download it again', async () => {
    if (blob.size > MAX_INDEX) throw new FormatError('it is too large');
    const json = parseStrictJson(new TextDecoder().decode(await bytesOf(blob)));
    const map = json instanceof Map ? json.get('weight_map') : undefined;
    return stringMap(map ?? null, 'weight_map');
  });
}

export const isIndex = ({ path }: NamedBlob): boolean => /\.index\.json$/.test(path);

/** The names, without folders, of the shards that a file tells of: an index, or one of them; else none. */
export async function shardsOf(file: NamedBlob): Promise<string[]> {
  const names = isIndex(file) ? (await readIndex(file)).values() : (siblings(file) ?? []);
  return [...new Set([...names].map(nameOf))];
}

/** Those of `files` that have these names. Throws a Refusal that lists what is missing. */
export function findShards(files: readonly NamedBlob[], names: readonly string[]): NamedBlob[] {
  const byName = new Map(files.map((file) => [nameOf(file.path), file]));
  const missing = names.filter((name) => !byName.has(nameOf(name)));
  if (missing.length > 0) {
    const some = missing.slice(0, 3).map(quote).join(', ');
    const more = missing.length > 3 ? ` and ${missing.length - 3} more` : '';
    throw new Refusal(
      `belongs to ${names.length} files, and ${some}${more} ${missing.length > 1 ? 'are' : 'is'} not among those chosen; choose all of them together, or their folder`,
    );
  }
  return names.map((name) => byName.get(nameOf(name))!);
}

/**
 * Puts opened shards together as one state dict. With an index both must agree on what is where; a tensor in two
 * shards is refused.
 */
export function joinShards(
  file: string,
  shards: readonly OpenedWeights[],
  index?: Map<string, string>,
): OpenedWeights {
  const places = new Map<string, OpenedWeights>();
  const entries = new Map<string, TensorInfo>();
  for (const shard of shards) {
    for (const [name, info] of shard.copies[0].entries) {
      const other = places.get(name);
      if (other)
        throw new Refusal(
          `has tensor ${quote(name)} twice, in ${other.file} and in ${shard.file}; download the shards again`,
        );
      if (index && nameOf(index.get(name) ?? '') !== nameOf(shard.file)) {
        const said = index.has(name) ? `has in ${quote(index.get(name)!)}` : 'does not name';
        throw new Refusal(
          `is not the index of ${shard.file}, which holds tensor ${quote(name)} that the index ${said}; download both again`,
        );
      }
      places.set(name, shard);
      entries.set(name, info);
    }
  }
  for (const [name, shard] of index ?? []) {
    if (!places.has(name))
      throw new Refusal(
        `names tensor ${quote(name)} in ${quote(shard)}, which lacks it; download both again`,
      );
  }
  const copy = stateCopy(file, '', entries, async (name) => {
    const read = await places.get(name)!.copies[0].read(new Set([name]));
    return read.get(name)!;
  });
  return { file, format: shards[0].format, metadata: shards[0].metadata, copies: [copy] };
}
