import type { ImagesInMemory } from '../../data/types';
import type { Gpu } from '../../gpu/device';
import type { Normalisation } from '../../train/evaluate';
import type { DataSource } from '../data-source';
import type { LoadedNetwork } from '../loaded-network';
import type { AnalysisNumbers } from './options';

/** A network under analysis. */
export type Subject = Pick<LoadedNetwork, 'file' | 'model' | 'state'> & { name: string };

/** What analyses that run networks have in common. */
export interface AnalysisContext {
  gpu: Gpu;
  subjects: readonly Subject[];
  images: ImagesInMemory;
  normalisation: Normalisation;
  numbers: AnalysisNumbers;
  /** images for the linear probe */
  transfer?: DataSource;
  /**
   * Told before each batch, with its images (those whose gradient is taken count as three: a backward pass is about two
   * forward ones). Throws where the user has stopped the analysis.
   */
  goOn(images: number): void;
}

/** A forward pass with its backward pass, in forward passes. */
export const WITH_GRADIENT = 3;
