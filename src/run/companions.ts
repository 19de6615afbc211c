import type { TestEvaluation } from '../analysis/class-figures';
import type { Gpu } from '../gpu/device';
import { openWeights } from '../io/weights-file';
import type { Observer } from '../train/observer';
import type { Training } from '../train/training-session';
import { checkFile } from './check-file';
import { onnxCheckScript } from './check-onnx';
import { checkScript } from './check-script';
import type { FittedNetwork } from './head';
import type { OutputFile } from './job';
import { modelState } from './loaded-network';
import type { WrittenNetwork } from './merge';
import { predictionsCsv } from './predictions-csv';
import type { MergeProof } from './report';

interface CompanionContext {
  network: FittedNetwork;
  training: Training;
  observer: Observer;
  gpu: () => Promise<Gpu>;
}

interface Outcome {
  merged: WrittenNetwork;
  best: WrittenNetwork;
  proof: MergeProof;
  /** of the merged network, and of the best where that is another */
  evaluations: readonly TestEvaluation[];
}

/** What stands beside the merged weights of a run. A check that fails is a warning: the weights are there without it. */
export async function companionFiles(
  { merged, best, proof, evaluations }: Outcome,
  { network, training, observer, gpu }: CompanionContext,
): Promise<OutputFile[]> {
  const { format, unmerged } = training.settings;
  const files = [textFile('labels.txt', network.classes.map(oneLine))];
  for (const [i, { predictions }] of evaluations.entries()) {
    const bytes = new TextEncoder().encode(predictionsCsv(predictions));
    files.push({ name: i === 0 ? 'predictions.csv' : 'best-predictions.csv', bytes });
  }
  if (format !== 'safetensors') {
    files.push({ name: 'merged.pth', bytes: merged.pth() }, { name: 'best.pth', bytes: best.pth() });
  }
  if (unmerged) {
    const formats = format === 'both' ? (['safetensors', 'pth'] as const) : [format];
    for (const ending of formats) files.push({ name: `unmerged.${ending}`, bytes: merged.unmerged(ending) });
  }
  for (const [name, { onnx }] of [
    ['merged.onnx', merged],
    ['best.onnx', best],
  ] as const) {
    if (!onnx) continue;
    try {
      files.push({ name, bytes: await onnx() });
    } catch (error) {
      observer.warning(
        `${name} could not be written: ${(error as Error).message}. The weights are there without it.`,
      );
    }
  }
  // where no device was left to prove the merge, there is none for a check either
  if (proof.images === 0) return files;
  try {
    files.push(...(await check(await gpu(), merged, network, training)));
  } catch (error) {
    observer.warning(`The check for PyTorch could not be made: ${(error as Error).message}`);
  }
  return files;
}

/** check.py, and the images and logits that it compares with: those of the merged file as it was written. */
async function check(
  gpu: Gpu,
  { file }: WrittenNetwork,
  { model, original }: FittedNetwork,
  { test, settings }: Training,
): Promise<OutputFile[]> {
  const { copies } = await openWeights({ path: 'merged.safetensors', blob: new Blob([file]) });
  const state = modelState(await copies[0].read(), original.names, model);
  const { mean, std, format } = settings;
  const script = original.onnx
    ? onnxCheckScript({ mean, std }, original.onnx.output)
    : checkScript({ model, ...original, mean, std }, format === 'pth' ? 'merged.pth' : 'merged.safetensors');
  const bytes = await checkFile(gpu, { model, state }, test, { mean, std }, original.onnx?.given);
  return [{ name: 'check.safetensors', bytes }, textFile('check.py', script.trimEnd().split('\n'))];
}

const textFile = (name: string, lines: readonly string[]): OutputFile => ({
  name,
  bytes: new TextEncoder().encode(`${lines.join('\n')}\n`),
});

/** A name that keeps to its line. */
const oneLine = (name: string): string => name.replace(/[\r\n\u0085\u2028\u2029]+/g, ' ');
