import { corruptions } from '../../data/corruptions';
import { WITH_GRADIENT } from './context';
import { type AnalysisName, type AnalysisNumbers, EPSILONS } from './options';

/** Forward passes of an image that an analysis takes for all networks, a gradient counted as three: what its time goes by. */
export function passesOf(
  names: readonly AnalysisName[],
  networks: number,
  images: number,
  { line, grid, products, attackSteps }: AnalysisNumbers,
): number {
  const levels = Object.values(corruptions).reduce((sum, { strengths }) => sum + strengths.length, 0);
  /** of an image, for one network */
  const each: Record<AnalysisName, number> = {
    weights: 0,
    calibration: 1,
    similarity: 1,
    corruptions: 1 + levels,
    // its training images and its test images, as many at most
    transfer: 2,
    attacks: WITH_GRADIENT * (1 + (EPSILONS.length - 1) * (1 + attackSteps)),
    sharpness: WITH_GRADIENT * 2 * products,
    landscape: line + grid ** 2 + (line * (networks - 1)) / networks,
  };
  return Math.round(networks * images * names.reduce((sum, name) => sum + each[name], 0));
}
