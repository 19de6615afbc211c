import type { LabelledImages } from '../data/types';
import { UserError } from '../errors';
import type { Gpu } from '../gpu/device';
import { encodeOnnx } from '../io/onnx/encode';
import { openWeights } from '../io/weights-file';
import { type ExportOptions, exportOnnx } from '../model/onnx/export';
import { importOnnx } from '../model/onnx/import';
import { uniforms } from '../model/random';
import { checkClassifier } from './check-classifier';
import type { LoadedNetwork, ModelSource } from './loaded-network';
import { logitsOf } from './logits';
import { METADATA_KEY, type NetworkMetadata } from './metadata';
import { loadNetwork } from './network-source';

/** `size`: default: that of the images that the network was trained on; all else is left out by default. */
export type OnnxExport = Partial<ExportOptions>;

/** An ONNX file of a network, and how it compares with the network. */
export interface ExportedNetwork {
  bytes: Uint8Array<ArrayBuffer>;
  /** the largest difference of logits, relative to the largest logit, and the share of images told alike */
  proof: { maxRelLogitDiff: number; top1Agreement: number; images: number };
  /** what to tell of how the network was read, a sentence each */
  notes: string[];
}

/** Images of noise that the file is compared on. */
const IMAGES = 8;
/** What float rounding explains, folded norms too. */
const TOLERANCE = 1e-4;
const MAX_SIDE = 1024;

/**
 * Writes a network as an ONNX file, which says its classes and how images are prepared, reads it again and compares its answers
 * with the network's.
 * @throws UserError where the network cannot be read or has no classifier, or the file answers otherwise
 */
export async function exportNetwork(
  gpu: () => Promise<Gpu>,
  source: ModelSource,
  given: OnnxExport = {},
): Promise<ExportedNetwork> {
  const network = await loadNetwork(source);
  checkClassifier(network);
  const { file, model, state, headless, notes } = network;
  if (headless) throw new UserError(`${file} has no classifier: train it on your classes first.`);
  const size = given.size ?? network.trainedSize ?? model.input.size;
  if (!Number.isInteger(size) || size < 1 || size > MAX_SIDE)
    throw new UserError(`The image size ${size} is not possible; use 1 to ${MAX_SIDE} pixels.`);
  const options = { preprocessing: false, softmax: false, fold: false, ...given, size };
  const metadata = new Map([[METADATA_KEY, JSON.stringify(descriptionOf(network, size))]]);
  const bytes = encodeOnnx(exportOnnx(model, state, options), metadata);
  const { onnx } = await openWeights({ path: 'exported.onnx', blob: new Blob([bytes]) });
  const again = importOnnx(onnx!.graph);
  const images = noise(size, model.input.channels);
  const answer = async (asked: Pick<LoadedNetwork, 'model' | 'state'>, { mean, std } = asked.model.input) =>
    logitsOf(await gpu(), asked, images, { mean, std });
  // a file that normalises its pixels itself tells by what
  const read = options.preprocessing ? again.model.input : model.input;
  const proof = compare(await answer(network), await answer(again, read));
  if (!(proof.maxRelLogitDiff <= TOLERANCE && proof.top1Agreement === 1))
    throw new UserError(
      `The ONNX file of ${file} answers otherwise than the network (by ${proof.maxRelLogitDiff} of the largest logit): nothing is written; report this as a bug.`,
    );
  return { bytes, proof, notes };
}

function descriptionOf(network: LoadedNetwork, size: number): NetworkMetadata {
  const { model, classes, interpolation, cropPct, cropMode } = network;
  const { mean, std } = model.input;
  return {
    version: 1,
    architecture: model.name,
    args: model.args,
    classes: classes && [...classes],
    preprocessing: mean.length === 3 ? { size, interpolation, cropPct, cropMode, mean, std } : undefined,
  };
}

function noise(side: number, channels: number): LabelledImages {
  const draw = uniforms(0, 'export');
  const pixels = Uint8Array.from({ length: IMAGES * side * side * channels }, () => draw() * 256);
  return { pixels, labels: new Uint16Array(IMAGES), count: IMAGES, height: side, width: side, classes: [] };
}

function compare(
  expected: readonly Float32Array[],
  found: readonly Float32Array[],
): ExportedNetwork['proof'] {
  let [difference, largest, agree] = [0, 0, 0];
  expected.forEach((row, i) => {
    row.forEach((logit, c) => {
      // a NaN must fail the proof: Math.max keeps it
      difference = Math.max(difference, Math.abs(logit - found[i][c]));
      largest = Math.max(largest, Math.abs(logit));
    });
    if (row.indexOf(Math.max(...row)) === found[i].indexOf(Math.max(...found[i]))) agree++;
  });
  return {
    maxRelLogitDiff: difference / Math.max(largest, 1e-6),
    top1Agreement: agree / expected.length,
    images: expected.length,
  };
}
