/** The files of a recipe: scripts, recipe.json, the network and the images. */
import { cropOf, imageBytes, readImages } from '../data/pixels';
import type { Split } from '../data/split';
import type { LabelledImages } from '../data/types';
import { UserError } from '../errors';
import type { Experiment } from '../experiment/experiment';
import { writeSafetensors } from '../io/safetensors';
import { floats, type StateDict } from '../io/tensor';
import { headEntries } from '../model/heads';
import { numbersOf } from '../model/state';
import type { FittedNetwork } from '../run/head';
import type { Loaded } from '../run/load';
import type { NetworkMetadata } from '../run/metadata';
import { VERSION } from '../run/version';
import draws from './draws.py?raw';
import files from './files.py?raw';
import needs from './needs.py?raw';
import network from './network.py?raw';
import { npyHeader } from './npy';
import { recipeCells, recipeModel } from './recipe';
import train from './train.py?raw';

/** A file, as pieces of bytes one after the other. */
export interface RecipeFile {
  name: string;
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

export const RECIPE_FILE = 'recipe.json';

/** Images that are read at once. */
const AT_ONCE = 1024;

/**
 * The files of an experiment's recipe.
 * @param loaded network and images of its runs, with their settings decided
 * @param split of the training images, those that each rate of a search trains and is tested on
 * @param isRandom whether the network has no numbers to start from
 * @throws UserError where train.py cannot run it
 */
export function recipeFiles(
  experiment: Experiment,
  loaded: Loaded,
  { split, isRandom }: { split?: Split; isRandom: boolean },
): RecipeFile[] {
  const { network: fitted, train: trains, test: tests } = loaded;
  if (fitted.unmerged)
    throw new UserError(`${fitted.file} has maps that are not merged yet: merge them first (refocus merge).`);
  const { cells, models } = recipeCells(experiment, loaded);
  const side = cropOf(trains);
  const { model } = fitted;
  const { head, input } = model;
  const weights = writeSafetensors(startOf(fitted, isRandom));
  const images = [...imageFiles('train', trains), ...imageFiles('test', tests)];
  const recipe = {
    format: 'refocus recipe',
    version: 1,
    refocus: VERSION,
    experiment,
    cells,
    model: {
      ...recipeModel(model, side),
      ...{ channels: input.channels, classes: head.classes, head: head.name },
    },
    models: Object.fromEntries([...models].map(([name, of]) => [name, recipeModel(of, side)])),
    newHead: fitted.newHead || isRandom,
    images: { train: { crop: side }, test: { crop: cropOf(tests) } },
    ...(split && { search: split }),
    written: written(fitted, loaded),
    // their bytes, so that a copy that lacks some is told before anything runs
    files: {
      'base.safetensors': weights.length,
      ...Object.fromEntries(images.map(({ name, bytes }) => [name, bytes])),
    },
  };
  const text = (content: string) => [new TextEncoder().encode(content)];
  return [
    { name: 'train.py', pieces: text(train) },
    { name: 'network.py', pieces: text(network) },
    { name: 'draws.py', pieces: text(draws) },
    { name: 'files.py', pieces: text(files) },
    { name: 'needs.py', pieces: text(needs) },
    { name: RECIPE_FILE, pieces: text(`${JSON.stringify(recipe)}\n`) },
    { name: 'base.safetensors', pieces: [weights] },
    ...images,
  ];
}

/** What all runs start from; a new classifier is drawn by each run's seed, a network without numbers by that of its run. */
function startOf({ state, model, newHead }: FittedNetwork, isRandom: boolean): StateDict {
  const drawn = newHead ? headEntries(model) : new Set<string>();
  const known = model.state.filter(({ name }) => !isRandom && !drawn.has(name) && state.has(name));
  return new Map(known.map(({ name, shape }) => [name, floats(shape, numbersOf(state.get(name)!))]));
}

/** How merged weights are written: the file's own names and shapes, and what it says of itself. */
function written({ original, model, classes }: FittedNetwork, { train: images, settings }: Loaded) {
  const { names, weights } = original;
  const { height, width } = cropOf(images);
  const { mean, std, interpolation, cropPct, cropMode } = settings;
  const about: NetworkMetadata = {
    version: 1,
    architecture: model.name,
    args: model.args,
    classes: [...classes],
    preprocessing:
      height === width ? { size: height, interpolation, cropPct, cropMode, mean, std } : undefined,
  };
  const shapes = new Map(model.state.map(({ name, shape }) => [name, shape]));
  const known = [...names].filter(([, name]) => shapes.has(name));
  return {
    names: Object.fromEntries(known),
    shapes: Object.fromEntries(
      known.map(([key, name]) => [key, weights.tensors.get(key)?.shape ?? shapes.get(name)!]),
    ),
    metadata: Object.fromEntries(weights.metadata),
    about,
  };
}

function imageFiles(part: 'train' | 'test', images: LabelledImages): (RecipeFile & { bytes: number })[] {
  const { count, height, width, labels } = images;
  const bytes = new Uint8Array(labels.buffer, labels.byteOffset, labels.byteLength);
  const header = npyHeader('|u1', [count, height, width, 3]);
  const labelHeader = npyHeader('<u2', [count]);
  return [
    {
      name: `${part}-images.npy`,
      pieces: pixelPieces(images, header),
      bytes: header.length + count * imageBytes(images),
    },
    {
      name: `${part}-labels.npy`,
      pieces: [labelHeader, bytes],
      bytes: labelHeader.length + bytes.length,
    },
  ];
}

async function* pixelPieces(images: LabelledImages, header: Uint8Array): AsyncGenerator<Uint8Array> {
  yield header;
  for (let first = 0; first < images.count; first += AT_ONCE) {
    const numbers = Uint32Array.from(
      { length: Math.min(AT_ONCE, images.count - first) },
      (_, i) => first + i,
    );
    const into = new Uint8Array(numbers.length * imageBytes(images));
    await readImages(images, numbers, into);
    yield into;
  }
}
