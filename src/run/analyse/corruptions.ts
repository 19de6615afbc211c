import { type CorruptionName, corrupted, corruptions } from '../../data/corruptions';
import type { ImagesInMemory } from '../../data/types';
import { type Evaluator, evaluating } from '../../train/evaluate';
import type { AnalysisContext, Subject } from './context';
import type { CorruptionsResult } from './result';

export const corruptionNames = Object.keys(corruptions) as CorruptionName[];

/** Accuracy of each network on the images as they are, and corrupted in three ways at five strengths: the same bytes for all. */
export async function analyseCorruptions(context: AnalysisContext): Promise<CorruptionsResult> {
  const { subjects } = context;
  const found = new Map<Subject, Accuracies>();
  for (const group of alike(subjects)) {
    const all = await accuraciesOf(group, context);
    for (const [i, subject] of group.entries()) found.set(subject, all[i]);
  }
  const ordered = subjects.map((subject) => found.get(subject)!);
  return {
    clean: ordered.map(({ clean }) => clean),
    kinds: corruptionNames.map((name) => {
      const { unit, strengths } = corruptions[name];
      return { name, unit, strengths, accuracy: ordered.map(({ corrupt }) => corrupt[name]) };
    }),
  };
}

/** Of one network. */
interface Accuracies {
  clean: number;
  /** by kind, a number a strength */
  corrupt: Record<CorruptionName, number[]>;
}

/** Networks that differ in their numbers alone: a session of one is that of all. */
function alike(subjects: readonly Subject[]): Subject[][] {
  const groups = new Map<string, Subject[]>();
  for (const subject of subjects) {
    const key = JSON.stringify(subject.model.layers);
    groups.set(key, [...(groups.get(key) ?? []), subject]);
  }
  return [...groups.values()];
}

/** Every set is made once, and goes to the device once for all networks of a group. */
const accuraciesOf = (group: readonly Subject[], context: AnalysisContext): Promise<Accuracies[]> => {
  const { gpu, images, normalisation, numbers } = context;
  return evaluating(gpu, group[0].model, images, normalisation, async (evaluator) => {
    const clean = await onSet(images, group, evaluator, context);
    const found = clean.map(
      (accuracy): Accuracies => ({ clean: accuracy, corrupt: { noise: [], blur: [], contrast: [] } }),
    );
    for (const name of corruptionNames)
      for (const level of corruptions[name].strengths.keys()) {
        const set = corrupted(images, name, level, numbers.analysisSeed);
        const column = await onSet(set, group, evaluator, context);
        for (const [i, accuracy] of column.entries()) found[i].corrupt[name].push(accuracy);
      }
    return found;
  });
};

async function onSet(
  set: ImagesInMemory,
  group: readonly Subject[],
  evaluator: Evaluator,
  { goOn }: AnalysisContext,
): Promise<number[]> {
  await evaluator.show(set);
  const found: number[] = [];
  for (const { state } of group) {
    goOn(set.count);
    evaluator.load(state);
    found.push((await evaluator.run({ goOn: () => goOn(0) })).figures.accuracy);
  }
  return found;
}
