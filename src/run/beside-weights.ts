/** What a file of weights says of its network beside the weights. */
import type { OpenedWeights, StateCopy } from '../io/state-copy';
import type { Model } from '../model/model';
import { numbersOf } from '../model/state';
import { named } from './head';
import type { RecognisedWeights } from './recognise-weights';

/** The names that a checkpoint has beside its weights, where it has one for each row of its classifier. */
export function classesBeside(
  { file, classes = [] }: OpenedWeights,
  { head }: Model,
  notes: string[],
): readonly string[] | undefined {
  const found = classes.find(({ names }) => names.length === head.classes);
  if (!found) return undefined;
  const count = named(found.names, found.names.length);
  notes.push(
    `${file} names its ${count} by ${found.key.slice(0, 40)}; a list of its classes (--labels) tells others.`,
  );
  return found.names;
}

/** What the file's own tensors say that images are normalised by. */
export async function normalisationBeside(
  copy: StateCopy,
  { normalisation, notes }: Pick<RecognisedWeights, 'normalisation' | 'notes'>,
): Promise<Pick<Model['input'], 'mean' | 'std'> | undefined> {
  if (!normalisation) return undefined;
  const keys = [normalisation.mean, normalisation.std];
  const read = await copy.read(new Set(keys));
  const tensors = keys.map((key) => read.get(key)!);
  // integers are no shares of a pixel's range
  if (tensors.some(({ data }) => !(data instanceof Float32Array))) return undefined;
  const [mean, std] = tensors.map((tensor) => Array.from(numbersOf(tensor)));
  // numbers for pixels up to 255
  const scale = Math.max(...mean, ...std) > 2 ? 255 : 1;
  if (std.some((s) => !(s > 0))) return undefined;
  const told = { mean: mean.map((m) => m / scale), std: std.map((s) => s / scale) };
  const [m, s] = [told.mean, told.std].map((numbers) =>
    numbers.map((n) => Number(n.toPrecision(4))).join(', '),
  );
  notes.push(`Images are normalised as the file's own tensors say: mean ${m}, std ${s}.`);
  return told;
}
