/** What an analysis of networks is asked for. */
import { UserError } from '../../errors';
import { type Field, parseField, real, whole } from '../../train/field';
import type { TrainSettings } from '../../train/settings';
import type { DataSource } from '../data-source';
import type { ModelSource } from '../loaded-network';

/** The analyses by name, in the order in which they are made and told: what each is called, and what it needs beside the weights. */
export const analyses = {
  weights: {
    label: 'Weights',
    needs: 'nothing',
    help: 'redundancy, skeletons and Gram spectra of kernels, distance from the first network',
  },
  calibration: {
    label: 'Accuracy and calibration',
    needs: 'images',
    help: 'whether a network is right as often as it is sure',
  },
  similarity: {
    label: 'Likeness of features',
    needs: 'images',
    help: 'linear CKA between the layers of two networks',
  },
  corruptions: {
    label: 'Corrupted images',
    needs: 'images',
    help: 'accuracy on images with noise, blur and less contrast',
  },
  transfer: {
    label: 'Linear probe',
    needs: 'images',
    help: 'what a linear map tells from the features on other images',
  },
  attacks: { label: 'Adversarial images', needs: 'gradients', help: 'accuracy under FGSM and PGD' },
  sharpness: { label: 'Sharpness', needs: 'gradients', help: 'the largest eigenvalue of the Hessian' },
  landscape: {
    label: 'Loss landscape',
    needs: 'images',
    help: 'the loss around each network, and on the line between two',
  },
} as const satisfies Record<
  string,
  { label: string; needs: 'nothing' | 'images' | 'gradients'; help: string }
>;

export type AnalysisName = keyof typeof analyses;

export const analysisNames = Object.keys(analyses) as AnalysisName[];

/** Largest changes of a value from 0 to 1 by which images are attacked; the first is none. */
export const EPSILONS: readonly number[] = [0, 1, 2, 4, 8].map((levels) => levels / 255);

interface NumberField extends Field<number> {
  fallback: number;
}

/** The numbers that an analysis takes. */
export const analysisFields = {
  images: {
    ...whole(16, 10_000),
    label: 'Images',
    help: 'images that networks are looked at with, evenly of all classes',
    fallback: 256,
  },
  line: {
    ...whole(3, 201),
    label: 'Points of the line',
    help: 'points of the loss along one direction, and between two networks',
    fallback: 21,
  },
  grid: {
    ...whole(0, 101),
    label: 'Side of the grid',
    help: 'points a side of the loss over two directions; 0: none',
    fallback: 11,
  },
  radius: {
    ...real({ above: 0, max: 10 }, 0.1),
    label: 'Radius of the landscape',
    help: 'how far it reaches, in lengths of each filter',
    // at a whole length the loss of a small network is many times its least everywhere but in the middle
    fallback: 0.5,
  },
  products: {
    ...whole(2, 500),
    label: 'Products with the Hessian',
    help: 'at most so many, of two gradients over all images each',
    fallback: 20,
  },
  attackSteps: { ...whole(1, 100), label: 'Steps of PGD', help: 'gradients that PGD follows', fallback: 10 },
  analysisSeed: {
    ...whole(0, 2 ** 31 - 1),
    label: 'Seed',
    help: 'of the directions, the noise and the first vector: the same for all networks',
    fallback: 0,
  },
} as const satisfies Record<string, NumberField>;

export type AnalysisFieldName = keyof typeof analysisFields;

export const analysisFieldNames = Object.keys(analysisFields) as AnalysisFieldName[];

export type AnalysisNumbers = Record<AnalysisFieldName, number>;

/** A network as it is called in the analysis. */
export interface NamedSource {
  name: string;
  source: ModelSource;
}

export interface AnalyseJob {
  /** of one architecture; the others are compared with the first */
  networks: readonly NamedSource[];
  /** labelled images of the networks' classes */
  test?: DataSource;
  /** without `test`: training images, of which those are looked at that a run would hold out; absent too: only what needs none */
  train?: DataSource;
  /** how a run reads its images; default: as the first network was trained */
  settings?: Partial<TrainSettings>;
  /** labelled images of any classes, for the linear probe; absent: none */
  transfer?: DataSource;
  /** default: all that can be made of what is given */
  only?: readonly AnalysisName[];
  /** default: as the fields say */
  numbers?: Partial<AnalysisNumbers>;
}

/**
 * The numbers of a job, all decided.
 * @throws UserError that names the one that is out of its bounds
 */
export function analysisNumbers(
  given: Readonly<Record<string, unknown>> = {},
  label: (name: string) => string = (name) => name,
): AnalysisNumbers {
  const entries = analysisFieldNames.map((name) => {
    const value = given[name];
    const { fallback, ...field }: NumberField = analysisFields[name];
    return [name, value === undefined ? fallback : parseField(field, value, label(name))];
  });
  return Object.fromEntries(entries) as AnalysisNumbers;
}

/**
 * The analyses of a list of names.
 * @throws UserError that names what is none
 */
export function analysesOf(names: readonly string[]): AnalysisName[] {
  for (const name of names)
    if (!Object.hasOwn(analyses, name))
      throw new UserError(`There is no analysis "${name}"; there are ${analysisNames.join(', ')}.`);
  return analysisNames.filter((name) => names.includes(name));
}

/**
 * What a job asks for, of what can be made of what it gives.
 * @throws UserError where what is asked for by name cannot be made
 */
export function wantedOf({
  only,
  test,
  train,
  transfer,
}: Pick<AnalyseJob, 'only' | 'test' | 'train' | 'transfer'>): AnalysisName[] {
  const hasImages = (test ?? train) !== undefined;
  for (const name of only ?? []) {
    if (analyses[name].needs !== 'nothing' && !hasImages)
      throw new UserError(
        `${analyses[name].label} needs images: name those that the networks are tested on.`,
      );
    if (name === 'transfer' && !transfer)
      throw new UserError('The linear probe needs images of its own: name them for the transfer.');
  }
  return (only ?? analysisNames).filter(
    (name) =>
      analyses[name].needs === 'nothing' || (hasImages && (name !== 'transfer' || transfer !== undefined)),
  );
}
