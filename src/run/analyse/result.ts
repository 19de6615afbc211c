/** What an analysis comes to: plain data, as `analysis.json` has it. Where a row is of networks, it has their order. */
import type { Calibration } from '../../analysis/calibration';
import type { LargestEigenvalue } from '../../analysis/sharpness';
import type { Interval, PairedComparison } from '../../analysis/uncertainty';
import type { WeightChange } from '../../analysis/weight-change';
import type { CorruptionName } from '../../data/corruptions';
import type { ImageSetReport } from '../../data/report';
import type { AnalysisName, AnalysisNumbers } from './options';

/** Figures of a spatial convolution's kernels; see `LayerRedundancy` and `GramSpectrum`. */
export interface LayerFigures {
  name: string;
  /** OIHW */
  shape: number[];
  /** kernels, a plane each */
  planes: number;
  divergence: number;
  cosine: number;
  /** absent for kernels of more than 128 taps */
  effectiveRank?: number;
  /** mean |W| at each tap, KH x KW */
  skeleton: number[];
  /** of the matrix that refocusing multiplies an update by; absent for such kernels too */
  gram?: { mapKernel: number; groups: number; eigenvalues: number[]; directions: number };
}

export interface LayerChange extends WeightChange {
  name: string;
  shape: number[];
}

export interface WeightsResult {
  /** a network's spatial convolutions */
  networks: LayerFigures[][];
  /** of each network but the first: what has moved from the first to it, by weights of two dimensions or more */
  changes: { layers: LayerChange[]; whole: WeightChange }[];
}

export interface CalibrationResult {
  networks: (Calibration & {
    accuracy: number;
    interval: Interval;
    /** mean cross-entropy */
    loss: number;
    /** against the first network */
    paired?: PairedComparison;
  })[];
}

export interface SimilarityResult {
  /** images of a batch that HSIC is estimated on */
  batch: number;
  /** side in pixels of what features are averaged to */
  side: number;
  /** what reads the features: convolutions, and the classifier */
  layers: string[];
  /** CKA of the first network with itself, then of the first (rows) with each other (columns) */
  matrices: number[][][];
}

export interface CorruptionsResult {
  /** accuracy on the images as they are */
  clean: number[];
  kinds: {
    name: CorruptionName;
    unit: string;
    strengths: readonly number[];
    /** a row a network, a number a strength */
    accuracy: number[][];
  }[];
}

export interface TransferResult {
  source: string;
  classes: string[];
  images: { train: number; test: number };
  /** share of the test images that are of the most frequent class */
  chance: number;
  networks: { accuracy: number; interval: Interval; ridge: number }[];
}

export interface LandscapeResult {
  /** steps along a direction, in lengths of each filter */
  line: number[];
  /** a row a network, a loss a step along the first direction */
  losses: number[][];
  /** over two directions, where that was asked for */
  grid?: {
    steps: number[];
    /** of each network a row a step along the first direction, a loss a step along the second */
    losses: number[][][];
  };
  /** on the straight line from the first network (0) to each other (1), parameters and running statistics alike */
  paths: { steps: number[]; losses: number[]; accuracies: number[] }[];
}

export interface SharpnessResult {
  networks: LargestEigenvalue[];
}

export interface AttacksResult {
  /** largest changes of a value from 0 to 1; the first is 0 */
  epsilons: readonly number[];
  /** of PGD, each of 2.5 epsilon over their number */
  steps: number;
  networks: { fgsm: number[]; pgd: number[] }[];
}

export interface AnalysisResults {
  weights: WeightsResult;
  calibration: CalibrationResult;
  similarity: SimilarityResult;
  corruptions: CorruptionsResult;
  transfer: TransferResult;
  attacks: AttacksResult;
  sharpness: SharpnessResult;
  landscape: LandscapeResult;
}

export interface Analysis {
  kind: 'analysis';
  /** of Refocus */
  version: string;
  /** when it began, ISO 8601 */
  date: string;
  /** absent where no GPU was needed */
  adapter?: string;
  networks: { name: string; file: string; architecture: string; parameters: number }[];
  images?: { source: string; count: number; width: number; height: number; classes: string[] };
  numbers: AnalysisNumbers;
  seconds: number;
  /** the user stopped it: what was made until then is there */
  stopped: boolean;
  /** how networks and images were read, a sentence each */
  notes: string[];
  results: Partial<AnalysisResults>;
  /** why what was asked for could not be made */
  failures: Partial<Record<AnalysisName, string>>;
  /** what was found in a source of files */
  report?: ImageSetReport;
}
