import type { ModelInput } from '../model';
import type { NormArguments } from '../norms';

/**
 * The names that publishers give one network's modules. All of them define the same modules in the same order, so a
 * dialect says only how its names sort into that order: the n-th module of a file is then the n-th of the zoo's network,
 * whatever order the file itself has. Sources: the modules of pytorch/vision, huggingface/pytorch-image-models (timm),
 * lukemelas/EfficientNet-PyTorch, facebookresearch/ConvNeXt and ConvNeXt-V2, JierunChen/FasterNet, DingXiaoH/RepVGG,
 * chenyaofo/pytorch-cifar-models, kuangliu/pytorch-cifar and those whose names are the zoo's.
 */
export interface Dialect {
  /** who publishes weights under these names */
  publisher: string;
  /** the architectures that it has names for */
  architectures: RegExp;
  /** a module that every file of the dialect has */
  sign: RegExp;
  /** a module that none has: a network of fewer layers would fit the files of a larger one too */
  without?: RegExp;
  /**
   * Where a module stands, numbers to be compared one after the other; nothing for what is no module of the dialect.
   * Absent: the names are the zoo's, but for `rename`.
   * @param has whether the file has a module
   */
  place?(module: string, has: (module: string) => boolean): number[] | undefined;
  rename?(module: string): string;
  /** what the publisher calls the classifier, where that is not the zoo's name */
  head?: string;
  /** the publisher's batch norms, where they are not the zoo's */
  norms?: NormArguments;
  /** how the publisher normalises images, where that is not the zoo's */
  normalisation?: Pick<ModelInput, 'mean' | 'std'>;
  /** why networks of these names are not computed here as their publisher does */
  refusal?: string;
}

/** Places of the modules of a list, in its order. */
export const places = (...modules: string[]): ReadonlyMap<string, number> =>
  new Map(modules.map((name, i) => [name, i]));

/** The place of a module before or behind the blocks. */
export function around(
  module: string,
  stem: ReadonlyMap<string, number>,
  head: ReadonlyMap<string, number>,
): number[] | undefined {
  const before = stem.get(module);
  if (before !== undefined) return [0, before];
  const behind = head.get(module);
  return behind === undefined ? undefined : [2, behind];
}

export const inside = (block: number[], place: number | undefined): number[] | undefined =>
  place === undefined ? undefined : [1, ...block, place];

/** The zoo's name of each module of a file, as far as the dialect knows it. */
export function renameModules(
  dialect: Dialect,
  modules: readonly string[],
  zoo: readonly string[],
): Map<string, string> {
  const { place, rename } = dialect;
  if (!place) return new Map(modules.map((module) => [module, rename ? rename(module) : module]));
  const all = new Set(modules);
  const placed = modules.flatMap((module) => {
    const at = place(module, (name) => all.has(name));
    return at ? [{ module, at }] : [];
  });
  placed.sort((a, b) => compare(a.at, b.at));
  return new Map(placed.slice(0, zoo.length).map(({ module }, i) => [module, zoo[i]]));
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? -1) - (b[i] ?? -1);
    if (difference !== 0) return difference;
  }
  return 0;
}
