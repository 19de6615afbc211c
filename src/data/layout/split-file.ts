import { baseName, type FileTree, parentOf } from '../files/tree';
import { ImageIndex, readText } from './label-file';
import { isSplitName } from './names';
import type { Layout, PartFiles } from './types';

/**
 * Parts a set as CUB-200-2011 has it: images.txt numbers the images, and train_test_split.txt beside it has a 1 for each number
 * that trains, a 0 for each that tests. A set without these files, or with parts of its own, stays as it is.
 */
export async function applySplitFile(tree: FileTree, layout: Layout): Promise<Layout> {
  const [whole, ...others] = layout.parts;
  const file = tree.files.find(({ path }) => isSplitName(path) && baseName(path) !== LIST);
  if (!file || others.length > 0 || whole.part) return layout;
  const list = tree.files.find(
    ({ path }) => parentOf(path) === parentOf(file.path) && baseName(path) === LIST,
  );
  const [names, marks] = [list && (await readText(list)), await readText(file)];
  const isTraining = new Map(pairsOf(marks?.text));
  const index = new ImageIndex(whole.files);
  const markOf = new Map(
    pairsOf(names?.text).flatMap(([number, name]) => {
      const found = index.find(name, file.path);
      return found.length === 1 ? [[found[0], isTraining.get(number)]] : [];
    }),
  );
  const part = (name: 'train' | 'test', mark: string): PartFiles => {
    const chosen = whole.files
      .map((image, i) => ({ image, i }))
      .filter(({ image }) => markOf.get(image) === mark);
    return {
      part: name,
      files: chosen.map(({ image }) => image),
      labels: chosen.map(({ i }) => whole.labels[i]),
      empty: name === 'train' ? whole.empty : [],
    };
  };
  const parts = [part('train', '1'), part('test', '0')];
  if (parts.some(({ files }) => files.length === 0)) {
    const note = `${file.path} is not read: with ${LIST} beside it, it marks no images of ${tree.name} to train with and to test with.`;
    return { ...layout, notes: [...layout.notes, note] };
  }
  const left = whole.files.filter((image) => !/^[01]$/.test(markOf.get(image) ?? ''));
  return {
    ...layout,
    parts,
    skipped: [
      ...layout.skipped,
      ...left.map(({ path }) => ({ path, reason: 'the split file has no mark for it' })),
    ],
    notes: [...layout.notes, `Training and test images are those of ${file.path}.`],
  };
}

const LIST = 'images.txt';

/** The lines of a text, each a number and what belongs to it. */
const pairsOf = (text = ''): [string, string][] =>
  text.split('\n').flatMap((line) => {
    const [, number, value] = /^\s*(\d+)\s+(.*\S)/.exec(line) ?? [];
    return number ? [[number, value]] : [];
  });
